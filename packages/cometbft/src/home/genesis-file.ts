/**
 * CometBFT's genesis file, derived from ours: it carries our document whole, so that a node can compare its hash.
 * Source: CometBFT v0.40 `types/genesis.go`, `types/params.go`; design.md, "Drivers".
 */
import { chainIdOf, decodeGenesis, evidenceBytes } from "@xinglin/contracts";
import { cometbft } from "@xinglin/crypto/pure";
import { type Bytes, toHex } from "@xinglin/primitives";
import { publicKeyJson } from "./keys.ts";

/** The application protocol that headers name; the same as the solo driver's. */
export const APP_PROTOCOL = 1;

/** For how long evidence of misbehaviour counts: until it is older than both. */
export interface EvidenceAge {
  readonly maxAgeBlocks: number;
  readonly maxAgeSeconds: number;
}

/**
 * Evidence of misbehaviour counts for so long: two days longer than light clients build on a header that they once verified (30 days), so that who signs a fork for
 * one of them with power that it had is still held to account when it comes to light. Blocks are kept at least as long, since CometBFT verifies evidence by them.
 */
export const EVIDENCE_AGE = { maxAgeBlocks: 100_000, maxAgeSeconds: 32 * 86_400 } as const satisfies EvidenceAge;

/** A chain that CometBFT continues from a height above 1; the same on every node and at every start. */
export interface Continuation {
  readonly initialHeight: number;
  /** The state's root after the height below, which stands in the first header. */
  readonly appHash: Bytes;
  /** Time of the first header: after that of the height below, or no light client would follow. */
  readonly genesisTime: cometbft.Time;
}

/** The text of `genesis.json`: equal on every node with the same genesis. */
export function genesisFile(genesisBytes: Bytes, continuation?: Continuation, evidenceAge: EvidenceAge = EVIDENCE_AGE): string {
  const genesis = decodeGenesis(genesisBytes);
  const { maxBlockBytes } = genesis.parameters;
  const content = {
    genesis_time: timeText(continuation?.genesisTime ?? { seconds: genesis.time, nanos: 0 }),
    chain_id: chainIdOf(genesisBytes),
    initial_height: String(continuation?.initialHeight ?? 1),
    consensus_params: {
      block: { max_bytes: String(maxBlockBytes), max_gas: "-1" },
      evidence: {
        max_age_num_blocks: String(evidenceAge.maxAgeBlocks),
        max_age_duration: String(BigInt(evidenceAge.maxAgeSeconds) * 1_000_000_000n),
        max_bytes: String(evidenceBytes(maxBlockBytes)),
      },
      // Both, so that a vote may let a validator with either in.
      validator: { pub_key_types: cometbft.KEY_TYPES.map((type) => cometbft.KEY_TYPE[type].name) },
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

/** RFC 3339 with nanoseconds. */
function timeText({ seconds, nanos }: cometbft.Time): string {
  return `${new Date(seconds * 1000).toISOString().slice(0, 19)}.${String(nanos).padStart(9, "0")}Z`;
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
