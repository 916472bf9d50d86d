/**
 * Reads a node's configuration file. Whatever is wrong with it is told with the line and the key, before anything is opened.
 * Source: YAML 1.2; docs/guides/run-a-consortium.md.
 */
import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { withStorePaths } from "@xinglin/archive";
import { Fault } from "@xinglin/primitives";
import { type Document, isMap, isNode, isScalar, LineCounter, parseDocument } from "yaml";
import { type ChainConfig, type NodeConfig, nodeConfigShape } from "./node-config.ts";

const MAX_FILE_CHARACTERS = 262_144;

/**
 * Throws `config_missing`, `config_version` (of another program's version), or `config_wrong` with `file`, `line`, `key` and what was `expected`.
 * A key that is not known is wrong, too: a misspelt one would be ignored else.
 */
export function readNodeConfig(file: string): NodeConfig {
  const path = resolve(file);
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (cause) {
    throw new Fault("config_missing", { path }, { cause });
  }
  return parseConfig(text, path, (content) => {
    const type = (content as { type?: unknown } | null)?.type;
    if (typeof type === "string" && type.startsWith("xinglin-node/") && type !== "xinglin-node/1")
      throw new Fault("config_version", { path, found: type, supported: "xinglin-node/1" });
    return checked(withPaths(nodeConfigShape.parse(content), dirname(path)));
  });
}

/** A configuration in YAML, or JSON, which is YAML too. Throws `config_wrong` as `readNodeConfig` does, and what else `parse` throws. */
export function parseConfig<T>(text: string, path: string, parse: (content: unknown) => T): T {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true, merge: false, version: "1.2" });
  const [error] = document.errors;
  if (error !== undefined || text.length > MAX_FILE_CHARACTERS)
    throw wrong(path, error?.linePos?.[0].line ?? 1, "-", error?.code ?? `${MAX_FILE_CHARACTERS} characters`);
  const content = contentOf(document, path);
  try {
    return parse(content);
  } catch (cause) {
    if (!(cause instanceof Fault) || cause.code === "config_version") throw cause;
    const keys = String(cause.facts.element ?? "/")
      .split("/")
      .slice(1);
    const unknown =
      keys.at(-1) === "(unknown)" ? unknownKey(document, keys.slice(0, -1), String(cause.facts.expected)) : undefined;
    const key = unknown ?? keys;
    throw wrong(path, lineOf(document, key, lines), key.join("."), String(cause.facts.expected ?? cause.code), cause);
  }
}

/** Aliases could make much of little: they are not resolved. */
function contentOf(document: Document, path: string): unknown {
  try {
    return document.toJS({ maxAliasCount: 0 });
  } catch (cause) {
    throw wrong(path, 1, "-", "no aliases", cause);
  }
}

const wrong = (file: string, line: number, key: string, expected: string, cause?: unknown): Fault =>
  new Fault("config_wrong", { file, line, key: key === "" ? "-" : key, expected }, { cause });

/** The key in a map that is none of those expected. */
function unknownKey(document: Document, keys: readonly string[], expected: string): string[] | undefined {
  const map = keys.length === 0 ? document.contents : document.getIn(keys.map(asIndex));
  // The key that chooses a shape is not among those of the shape.
  const known = new Set(["driver", "kind", ...expected.replace(/^no other than /, "").split("|")]);
  const names = isMap(map) ? map.items.map(({ key }) => String(isScalar(key) ? key.value : key)) : [];
  const found = names.find((name) => !known.has(name));
  return found === undefined ? undefined : [...keys, found];
}

/** The line of a key, or of the nearest one above that is there. */
function lineOf(document: Document, keys: readonly string[], lines: LineCounter): number {
  for (let length = keys.length; length > 0; length--) {
    const range = rangeOf(document, keys.slice(0, length));
    if (range) return lines.linePos(range[0]).line;
  }
  return 1;
}

/** Where a key stands, or an element of a list. */
function rangeOf(document: Document, keys: readonly string[]) {
  const above: unknown = keys.length === 1 ? document.contents : document.getIn(keys.slice(0, -1).map(asIndex), true);
  const last = keys.at(-1);
  const pair = isMap(above) ? above.items.find(({ key }) => isScalar(key) && key.value === last) : undefined;
  const node: unknown = pair?.key ?? document.getIn(keys.map(asIndex), true);
  return isNode(node) ? node.range : undefined;
}
const asIndex = (key: string): string | number => (/^\d+$/.test(key) ? Number(key) : key);

/** What no single value shows. */
function checked(config: NodeConfig): NodeConfig {
  const { api, chain, stores } = config;
  if ((api.certificate === undefined) !== (api.privateKey === undefined))
    throw new Fault("malformed", { element: "/api/certificate", expected: "certificate and privateKey, or neither" });
  const ids = stores.map(({ id }) => id);
  const repeated = ids.findIndex((id, i) => ids.indexOf(id) !== i);
  if (repeated >= 0) throw new Fault("malformed", { element: `/stores/${repeated}/id`, expected: "an id of its own" });
  if (chain.driver === "cometbft" && chain.announce === undefined && /^(0\.0\.0\.0|\[::\]):/.test(chain.listen))
    throw new Fault("malformed", { element: "/chain/announce", expected: "the address that other members reach" });
  return config;
}

/** Paths in the file are relative to its folder. */
function withPaths(config: NodeConfig, folder: string): NodeConfig {
  const at = (path: string): string => resolve(folder, path);
  const { api, custody, keeping, probing } = config;
  return {
    ...config,
    genesis: at(config.genesis),
    data: at(config.data),
    chain: chainWithPaths(config.chain, at),
    api: {
      ...api,
      ...(api.certificate === undefined ? {} : { certificate: at(api.certificate) }),
      ...(api.privateKey === undefined ? {} : { privateKey: at(api.privateKey) }),
    },
    custody: { ...custody, key: at(custody.key) },
    ...(probing === undefined ? {} : { probing: { ...probing, ...(probing.key === undefined ? {} : { key: at(probing.key) }) } }),
    ...(keeping === undefined ? {} : { keeping: { ...keeping, ...(keeping.key === undefined ? {} : { key: at(keeping.key) }) } }),
    stores: config.stores.map((store) => withStorePaths(store, at)),
    ...(config.databaseUrlFile === undefined ? {} : { databaseUrlFile: at(config.databaseUrlFile) }),
  };
}

function chainWithPaths(chain: ChainConfig, at: (path: string) => string): ChainConfig {
  if (chain.driver === "solo") return { ...chain, validatorKey: at(chain.validatorKey) };
  return {
    ...chain,
    nodeKey: at(chain.nodeKey),
    ...(chain.validatorKey === undefined ? {} : { validatorKey: at(chain.validatorKey) }),
  };
}
