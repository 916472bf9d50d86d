/**
 * CometBFT's genesis file, derived from ours: it carries our document whole, so that a node can compare its hash.
 * Source: CometBFT v0.40 `types/genesis.go`, `types/params.go`; design.md, "Drivers".
 */
import { chainIdOf, decodeGenesis } from "@xinglin/contracts";
import { type Bytes, toHex } from "@xinglin/primitives";
import { publicKeyJson } from "./keys.ts";

/** The application protocol that headers name; the same as the solo driver's. */
export const APP_PROTOCOL = 1;

/** Evidence of misbehaviour counts for so long. */
const EVIDENCE_AGE_BLOCKS = 100_000;
const EVIDENCE_AGE_HOURS = 48;
/** Bytes of evidence in a block, at most; a block that is smaller than four times this holds a quarter of it. */
const EVIDENCE_BYTES = 262_144;

/** A chain that CometBFT continues from a height above 1: the state's root there stands in the first header. */
export interface Continuation {
  readonly initialHeight: number;
  readonly appHash: Bytes;
}

/** The text of `genesis.json`: equal on every node with the same genesis. */
export function genesisFile(genesisBytes: Bytes, continuation?: Continuation): string {
  const genesis = decodeGenesis(genesisBytes);
  const { maxBlockBytes } = genesis.parameters;
  const content = {
    genesis_time: new Date(genesis.time * 1000).toISOString(),
    chain_id: chainIdOf(genesisBytes),
    initial_height: String(continuation?.initialHeight ?? 1),
    consensus_params: {
      block: { max_bytes: String(maxBlockBytes), max_gas: "-1" },
      evidence: {
        max_age_num_blocks: String(EVIDENCE_AGE_BLOCKS),
        max_age_duration: String(BigInt(EVIDENCE_AGE_HOURS) * 3_600_000_000_000n),
        max_bytes: String(Math.min(EVIDENCE_BYTES, Math.floor(maxBlockBytes / 4))),
      },
      validator: { pub_key_types: ["ed25519"] },
      version: { app: String(APP_PROTOCOL) },
      abci: { vote_extensions_enable_height: "0" },
    },
    validators: genesis.validators.map(({ publicKey, power, member }) => ({
      pub_key: publicKeyJson(publicKey),
      power: String(power),
      name: member,
    })),
    app_hash: continuation === undefined ? "" : toHex(continuation.appHash).toUpperCase(),
    app_state: Buffer.from(genesisBytes).toString("base64"),
  };
  return `${JSON.stringify(content, undefined, 2)}\n`;
}

/** Our genesis document in the `app_state` that CometBFT hands over, or undefined if there is none in it. */
export function genesisInAppState(appState: Bytes): Bytes | undefined {
  try {
    const text: unknown = JSON.parse(Buffer.from(appState).toString("utf8"));
    return typeof text === "string" ? new Uint8Array(Buffer.from(text, "base64")) : undefined;
  } catch {
    return undefined;
  }
}
