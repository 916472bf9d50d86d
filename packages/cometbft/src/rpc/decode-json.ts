/**
 * From the JSON of CometBFT's RPC to headers, commits and validators as proofs need them. What does not have the shape is refused; whether it is
 * true is checked by hashes, see `driver/light-blocks.ts`.
 * Source: CometBFT v0.40 `rpc/core/types/responses.go`, amino JSON (64-bit numbers are strings, hashes upper-case hex).
 */
import { cometbft } from "@xinglin/crypto/pure";
import { type Bytes, Fault, fromHex } from "@xinglin/primitives";

type Json = unknown;

function wrong(element: string): Fault {
  return new Fault("malformed", { element });
}
function field(value: Json, name: string): Json {
  if (typeof value !== "object" || value === null || !(name in value)) throw wrong(name);
  return (value as Record<string, Json>)[name];
}
function text(value: Json, name: string): string {
  const found = field(value, name);
  if (typeof found !== "string") throw wrong(name);
  return found;
}
function list(value: Json, name: string): readonly Json[] {
  const found = field(value, name);
  if (found === null) return [];
  if (!Array.isArray(found)) throw wrong(name);
  return found as readonly Json[];
}
/** Small numbers are JSON numbers, 64-bit ones are strings. */
function integer(value: Json, name: string): number {
  const found = field(value, name);
  const number = typeof found === "string" ? Number(found) : found;
  if (typeof number !== "number" || !Number.isSafeInteger(number) || number < 0) throw wrong(name);
  return number;
}
const hex = (value: Json, name: string): Bytes => fromHex(text(value, name).toLowerCase());
const base64 = (value: Json): Bytes => {
  if (typeof value !== "string") throw wrong("base64");
  return new Uint8Array(Buffer.from(value, "base64"));
};

/** RFC 3339 with up to nine decimals, as Go writes it. */
export function timeOf(value: string): cometbft.Time {
  const match = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?Z$/.exec(value);
  const milliseconds = match === null ? Number.NaN : Date.parse(`${match[1]}Z`);
  if (Number.isNaN(milliseconds)) throw wrong("time");
  return { seconds: milliseconds / 1000, nanos: Number((match?.[2] ?? "").padEnd(9, "0")) };
}

function blockId(value: Json): cometbft.BlockId {
  const parts = field(value, "parts");
  return { hash: hex(value, "hash"), partSetHeader: { total: integer(parts, "total"), hash: hex(parts, "hash") } };
}

/** A header. */
export function headerOf(value: Json): cometbft.Header {
  const version = field(value, "version");
  return {
    version: { block: integer(version, "block"), app: "app" in (version as object) ? integer(version, "app") : 0 },
    chainId: text(value, "chain_id"),
    height: integer(value, "height"),
    time: timeOf(text(value, "time")),
    lastBlockId: blockId(field(value, "last_block_id")),
    lastCommitHash: hex(value, "last_commit_hash"),
    dataHash: hex(value, "data_hash"),
    validatorsHash: hex(value, "validators_hash"),
    nextValidatorsHash: hex(value, "next_validators_hash"),
    consensusHash: hex(value, "consensus_hash"),
    appHash: hex(value, "app_hash"),
    lastResultsHash: hex(value, "last_results_hash"),
    evidenceHash: hex(value, "evidence_hash"),
    proposerAddress: hex(value, "proposer_address"),
  };
}

const ABSENT = 1;
const NIL = 3;

function commitSig(value: Json): cometbft.CommitSig {
  const flag = integer(value, "block_id_flag");
  if (flag === ABSENT) return { flag: "absent" };
  return {
    flag: flag === NIL ? "nil" : "commit",
    validatorAddress: hex(value, "validator_address"),
    timestamp: timeOf(text(value, "timestamp")),
    signature: base64(field(value, "signature")),
  };
}

/** A commit; of the first block's predecessor, `NO_COMMIT`. */
export function commitOf(value: Json): cometbft.Commit {
  const height = integer(value, "height");
  if (height === 0) return cometbft.NO_COMMIT;
  const signatures = list(value, "signatures").map(commitSig);
  return { height, round: integer(value, "round"), blockId: blockId(field(value, "block_id")), signatures };
}

/** Header and commit in an answer to `commit`. */
export function signedHeaderOf(result: Json): { readonly header: cometbft.Header; readonly commit: cometbft.Commit } {
  const signed = field(result, "signed_header");
  return { header: headerOf(field(signed, "header")), commit: commitOf(field(signed, "commit")) };
}

/** A page of an answer to `validators`, and how many there are altogether. */
export function validatorsOf(result: Json): { readonly validators: readonly cometbft.Validator[]; readonly total: number } {
  const validators = list(result, "validators").map((value) => ({
    publicKey: base64(field(field(value, "pub_key"), "value")),
    power: integer(value, "voting_power"),
  }));
  return { validators, total: integer(result, "total") };
}

/** Transactions and last commit in an answer to `block`. */
export function blockOf(result: Json): { readonly txs: readonly Bytes[]; readonly lastCommit: cometbft.Commit } {
  const block = field(result, "block");
  return { txs: list(field(block, "data"), "txs").map(base64), lastCommit: commitOf(field(block, "last_commit")) };
}

/** What an answer to `status` says of the chain as this engine has it. */
export interface EngineStatus {
  readonly nodeId: string;
  readonly latestHeight: number;
  readonly earliestHeight: number;
  readonly catchingUp: boolean;
}
export function statusOf(result: Json): EngineStatus {
  const sync = field(result, "sync_info");
  return {
    nodeId: text(field(result, "node_info"), "id"),
    latestHeight: integer(sync, "latest_block_height"),
    earliestHeight: integer(sync, "earliest_block_height"),
    catchingUp: field(sync, "catching_up") === true,
  };
}

/** Peers in an answer to `net_info`. */
export const peerIdsOf = (result: Json): string[] => list(result, "peers").map((peer) => text(field(peer, "node_info"), "id"));
