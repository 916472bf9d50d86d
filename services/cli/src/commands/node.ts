/**
 * `xinglin node init|join|start|status`: one member's node, from its first key to the daily look at it.
 * Source: docs/guides/run-a-consortium.md.
 */
import { spawn } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { openStore } from "@xinglin/archive";
import { ENGINE_VERSION, ensureEngine } from "@xinglin/cometbft";
import { chainIdOf, MEMBER_KINDS, SOLO_ELECTION } from "@xinglin/contracts";
import { cometbft } from "@xinglin/crypto/pure";
import { writeFileDurably } from "@xinglin/custody";
import {
  administrationKey,
  cardOf,
  createMemberKeys,
  custodianKey,
  type MemberCard,
  memberValidatorKey,
  type NodeConfig,
  newGenesis,
  nodeKey,
  readGenesis,
  readNodeConfig,
  writeCard,
  writeNodeConfig,
} from "@xinglin/member";
import { Fault, type MemberId, memberId, type UnixSeconds } from "@xinglin/primitives";
import type { Command, Context } from "../command.ts";

const NODE_PROGRAM = fileURLToPath(new URL("../../../node/src/main.ts", import.meta.url));
/** As the launcher gives it to whatever runs a ledger. */
const LEDGER_HEAP = "--max-semi-space-size=64";
const LOOPBACK = "127.0.0.1";
const ANY = "0.0.0.0";
/** A snapshot for members that join every so many blocks. */
const SNAPSHOT_BLOCKS = 1_000;
const DEFAULT_THRESHOLD = 4;

export const configOf = ({ text, data }: Pick<Context, "text" | "data">): string =>
  resolve(text("config") ?? join(data, "node.yaml"));
const genesisOf = (data: string): string => join(data, "genesis.cbor");

/** Options of `nodeListening`. */
export const LISTENING_OPTIONS = {
  host: { type: "string" },
  "node-port": { type: "string" },
  "rpc-port": { type: "string" },
  "snapshot-blocks": { type: "string" },
} as const;

export const init: Command = {
  words: "node init",
  options: {
    member: { type: "string" },
    kind: { type: "string" },
    "name-zh": { type: "string" },
    "name-en": { type: "string" },
    ...LISTENING_OPTIONS,
    "api-port": { type: "string" },
    "custodian-port": { type: "string" },
    "api-url": { type: "string" },
    threshold: { type: "string" },
    stores: { type: "string" },
    solo: { type: "boolean" },
    domain: { type: "string" },
    "validator-key": { type: "string" },
  },
  async run(context) {
    const { data, flag, need, text, tell } = context;
    const member = memberOf(need("member"));
    const kind = MEMBER_KINDS.find((one) => one === (text("kind") ?? "hospital"));
    if (kind === undefined) throw new Fault("option_wrong", { option: "--kind", expected: MEMBER_KINDS.join("|") });
    const validatorKeyType = cometbft.KEY_TYPES.find((one) => one === (text("validator-key") ?? "ed25519"));
    if (validatorKeyType === undefined)
      throw new Fault("option_wrong", { option: "--validator-key", expected: cometbft.KEY_TYPES.join("|") });
    const file = join(data, "node.yaml");
    if (existsSync(file)) throw new Fault("config_exists", { path: file });
    const name = { zh: need("name-zh"), en: need("name-en") };
    const config = newConfig(context, member);
    mkdirSync(data, { recursive: true, mode: 0o700 });
    createMemberKeys(data, member, { node: true, validatorKeyType });
    const host = text("host") ?? LOOPBACK;
    const api = text("api-url") ?? (host === LOOPBACK ? `http://localhost:${portOf(context, "api-port")}` : undefined);
    const card = await cardOf(
      data,
      { member, kind, name },
      {
        node: `${host}:${portOf(context, "node-port")}`,
        custodian: `http://${host}:${portOf(context, "custodian-port")}`,
        ...(api === undefined ? {} : { api }),
      },
    );
    if (flag("solo")) writeFileDurably(genesisOf(data), soloGenesis(context, card));
    const cardFile = join(data, `${member}.card.json`);
    writeCard(cardFile, card);
    // Claimed once, here: a node that starts makes no store, since an empty mount point would be taken for one.
    for (const store of config.stores) await openStore(store).create();
    const chainId = flag("solo") ? { chainId: chainIdOf(readGenesis({ genesis: genesisOf(data) })) } : {};
    writeNodeConfig(file, { ...config, ...chainId }); // last: without it the folder counts as empty
    tell(flag("solo") ? "node.init_solo" : "node.init", { config: file, card: cardFile, member });
  },
};

const DEFAULT_PORTS = { "node-port": 26_656, "api-port": 8_750, "custodian-port": 8_760 } as const;
const portOf = ({ number }: Context, name: keyof typeof DEFAULT_PORTS): number => number(name, DEFAULT_PORTS[name]);

function memberOf(told: string): MemberId {
  try {
    return memberId.parse(told);
  } catch (cause) {
    throw new Fault("option_wrong", { option: "--member", expected: "a-z, 0-9, -" }, { cause });
  }
}

/** How a node listens for others: on this machine only unless `--host` names the address that they reach. */
export function nodeListening(context: Context) {
  const host = context.text("host") ?? LOOPBACK;
  const port = portOf(context, "node-port");
  const reach =
    host === LOOPBACK
      ? { listen: `${LOOPBACK}:${port}`, loopback: true }
      : { listen: `${ANY}:${port}`, announce: `${host}:${port}` };
  const rpc = context.text("rpc-port");
  const asked = rpc === undefined ? {} : { rpc: `${host === LOOPBACK ? LOOPBACK : ANY}:${context.number("rpc-port", 0)}` };
  return { ...reach, ...asked, snapshotBlocks: context.number("snapshot-blocks", SNAPSHOT_BLOCKS) };
}

function newConfig(context: Context, member: MemberId): NodeConfig {
  const { data, flag, number, text } = context;
  const any = (text("host") ?? LOOPBACK) === LOOPBACK ? LOOPBACK : ANY;
  const validatorKey = memberValidatorKey(data, member);
  return {
    type: "xinglin-node/1",
    member,
    genesis: genesisOf(data),
    data,
    chain: flag("solo")
      ? { driver: "solo", validatorKey }
      : {
          driver: "cometbft",
          validatorKey,
          nodeKey: nodeKey(data, member),
          peers: [],
          ...nodeListening(context),
        },
    // Browsers and other programs reach it through a certificate: until one is configured, this machine only.
    api: { listen: `${LOOPBACK}:${portOf(context, "api-port")}` },
    custody: {
      key: custodianKey(data, member),
      listen: `${any}:${portOf(context, "custodian-port")}`,
      threshold: number("threshold", flag("solo") ? 1 : DEFAULT_THRESHOLD),
    },
    probing: { key: administrationKey(data, member) },
    stores: Array.from({ length: Math.max(1, number("stores", 3)) }, (_, i) => ({
      kind: "directory" as const,
      id: `${member}-${i + 1}`,
      member,
      path: join(data, "stores", `${member}-${i + 1}`),
    })),
  };
}

function soloGenesis(context: Context, card: MemberCard): Uint8Array {
  const { validator, member } = card;
  if (validator === undefined) throw new Fault("genesis_invalid", { reason: "no_validator" });
  const domain = context.text("domain") ?? "localhost";
  const origin = domain === "localhost" ? `http://localhost:${portOf(context, "api-port")}` : `https://${domain}`;
  return newGenesis([card], {
    name: "xinglin",
    time: Math.floor(Date.now() / 1000) as UnixSeconds,
    validators: [{ member, publicKey: validator }],
    election: SOLO_ELECTION,
    page: { domain, origins: [origin] },
  });
}

export const start: Command = {
  words: "node start",
  options: { config: { type: "string" } },
  async run(context) {
    const file = configOf(context);
    readNodeConfig(file);
    const args = [LEDGER_HEAP, NODE_PROGRAM, "--config", file, "--lang", context.say.language];
    // By the channel the node notices when this command is gone, however it went.
    const child = spawn(process.execPath, args, { stdio: ["inherit", "inherit", "inherit", "ipc"] });
    const forward = (signal: NodeJS.Signals): void => void child.kill(signal);
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, forward);
    process.exitCode = await new Promise<number>((done, fail) => {
      child.once("error", fail);
      child.once("close", (code) => done(code ?? 1));
    });
  },
};

export const engine: Command = {
  words: "node engine",
  options: {},
  async run({ say, tell }) {
    const path = await ensureEngine({
      say: (notice) => {
        if (notice.event === "building") say.plain("node.engine_building", { version: notice.version });
      },
    });
    tell("node.engine", { path, version: ENGINE_VERSION });
  },
};
