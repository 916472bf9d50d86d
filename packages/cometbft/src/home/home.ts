/**
 * CometBFT's home folder in a node's data folder: written before every start from our own options, so that nobody edits it; only the owner may
 * read it. What CometBFT itself keeps there (blocks, its write-ahead log, what its key signed last) is never touched.
 * Source: CometBFT v0.40 `config/config.go` (layout of the home folder).
 */
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { chmod, mkdir, open, readFile, rename } from "node:fs/promises";
import { join } from "node:path";
import { nodeSha256 } from "@xinglin/crypto/node";
import { cometbft } from "@xinglin/crypto/pure";
import { type Bytes, equal, Fault, toHex } from "@xinglin/primitives";
import { ENGINE_VERSION } from "../engine/engine.ts";
import { type ConfigOptions, configFile } from "./config-file.ts";
import { type Continuation, type EvidenceAge, genesisFile } from "./genesis-file.ts";
import { nodeKeyFile, publicKeyIn, UNSIGNED_STATE, validatorKeyFile } from "./keys.ts";

const VERSION_FILE = "xinglin.json";
const OWNER_FILE = 0o600;
const OWNER_FOLDER = 0o700;

export interface HomeOptions {
  /** Made if it is not there. */
  readonly folder: string;
  /** Canonical bytes of our genesis document. */
  readonly genesis: Bytes;
  readonly continuation?: Continuation;
  /** Other than the chain's own, for tests. */
  readonly evidenceAge?: EvidenceAge;
  /** Seed of the validator's key; without one the node has a key of its own that no validator set names. */
  readonly validatorSeed?: Bytes;
  /** What key is made of that seed; Ed25519 if absent. */
  readonly validatorKeyType?: cometbft.KeyType;
  /** Seed of the node's Ed25519 key; without one it is made once and kept. */
  readonly nodeSeed?: Bytes;
  readonly config: ConfigOptions;
}

/** A home folder that is ready for CometBFT. */
export interface Home {
  readonly folder: string;
  readonly nodeId: string;
  /** Public key that this node's votes are signed with. */
  readonly publicKey: Bytes;
}

/**
 * Writes what is missing or differs. Rejects with `Fault`: `wrong_engine_folder`, `wrong_genesis_folder`, `validator_key_unreadable`,
 * `not_the_validator` when the folder holds another validator's key, `signing_state_missing` when it has blocks and no note of what was signed.
 */
export async function prepareHome(options: HomeOptions): Promise<Home> {
  const { folder, genesis, continuation, evidenceAge } = options;
  await mkdir(join(folder, "config"), { recursive: true, mode: OWNER_FOLDER });
  await mkdir(join(folder, "data"), { recursive: true, mode: OWNER_FOLDER });
  await chmod(folder, OWNER_FOLDER);
  await checkVersion(folder, genesis);
  const nodeKey = await keepKey(join(folder, "config", "node_key.json"), options.nodeSeed, nodeKeyFile);
  const publicKey = await keepKey(join(folder, "config", "priv_validator_key.json"), options.validatorSeed, (seed) =>
    validatorKeyFile(seed, options.validatorKeyType),
  );
  const stateFile = join(folder, "data", "priv_validator_state.json");
  if ((await read(stateFile)) === undefined) {
    // With blocks here it was there, too: a key that forgot what it signed would sign a second time.
    if (existsSync(join(folder, "data", "blockstore.db"))) throw new Fault("signing_state_missing", { file: stateFile });
    await write(stateFile, UNSIGNED_STATE);
  }
  await write(join(folder, "config", "genesis.json"), genesisFile(genesis, continuation, evidenceAge));
  await write(join(folder, "config", "config.toml"), configFile(options.config));
  return { folder, nodeId: toHex(cometbft.addressOf(nodeKey)), publicKey };
}

/** The folder belongs to one version of CometBFT and to one genesis. */
async function checkVersion(folder: string, genesis: Bytes): Promise<void> {
  const path = join(folder, VERSION_FILE);
  const wanted = { engine: ENGINE_VERSION, genesis: toHex(nodeSha256(genesis)) };
  const text = await read(path);
  if (text === undefined) {
    await write(path, `${JSON.stringify(wanted)}\n`);
    return;
  }
  const found = parsed(text);
  if (found.engine !== wanted.engine)
    throw new Fault("wrong_engine_folder", { found: String(found.engine), wanted: wanted.engine });
  if (found.genesis !== wanted.genesis)
    throw new Fault("wrong_genesis_folder", { found: String(found.genesis), wanted: wanted.genesis });
}

function parsed(text: string): { engine?: unknown; genesis?: unknown } {
  try {
    return JSON.parse(text) as { engine?: unknown; genesis?: unknown };
  } catch {
    return {};
  }
}

/** The public key of the file; the key of `given` is written if there is none yet, a random one without `given`. */
async function keepKey(path: string, given: Bytes | undefined, fileOf: (seed: Bytes) => string): Promise<Bytes> {
  const found = await read(path);
  const text = found ?? fileOf(given ?? new Uint8Array(randomBytes(32)));
  const publicKey = publicKeyIn(text, path);
  if (found === undefined) await write(path, text);
  else if (given !== undefined && !equal(publicKey, publicKeyIn(fileOf(given), path)))
    throw new Fault("not_the_validator", { validators: 1 });
  return publicKey;
}

async function read(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if ((error as { code?: string }).code === "ENOENT") return undefined;
    throw new Fault("validator_key_unreadable", { file: path }, { cause: error });
  }
}

/** All of it or nothing, and only for the owner. */
async function write(path: string, text: string): Promise<void> {
  const partial = `${path}.${process.pid}.partial`;
  const file = await open(partial, "w", OWNER_FILE);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(partial, path);
}
