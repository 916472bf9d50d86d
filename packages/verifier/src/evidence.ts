/**
 * Checks an evidence file offline and says what it proves and what that rests on, as codes and facts that a page or a command turns into
 * sentences.
 * Source: requirement F12; docs/internals/proofs.md.
 */
import { cometbft } from "@xinglin/crypto/pure";
import { type Bytes, equal, Fault, toHex } from "@xinglin/primitives";
import type { VerifySignature } from "./commit.ts";
import { decodeEvidence, type Evidence, type Statement } from "./evidence-file.ts";
import type { GenesisTrust } from "./genesis.ts";
import { LightClient, type VerifiedHeader } from "./light-client.ts";
import { readLogHead } from "./log-head.ts";
import { verifyLogEntry, verifyState } from "./state.ts";

/** What the caller trusts without proof: a genesis (see `genesisTrust`), or the hash of the file's first header. */
export type EvidenceTrust =
  | { readonly genesis: GenesisTrust }
  | { readonly checkpoint: { readonly height: number; readonly hash: Bytes } };

/** Facts that fill the sentence of a code. */
export type Facts = Readonly<Record<string, string | number>>;

/** One thing that a file proves. `height` is the block after which it held; `time` is that of the next block, in seconds UTC, which shows it. */
export type Claim =
  | { readonly code: "state_held"; readonly height: number; readonly time: number; readonly key: string; readonly value: Bytes }
  | { readonly code: "state_absent"; readonly height: number; readonly time: number; readonly key: string }
  | {
      readonly code: "log_entry";
      readonly height: number;
      readonly time: number;
      readonly epoch: number;
      readonly index: number;
      /** Number of the entry over all epochs, from 0. */
      readonly sequence: number;
      readonly entry: Bytes;
    };

/** One thing that a proof rests on and cannot show. */
export type Assumption =
  | { readonly code: "genesis_genuine"; readonly facts: { readonly chain: string } }
  | { readonly code: "checkpoint_genuine"; readonly facts: { readonly height: number; readonly hash: string } }
  /** More than two thirds of the power did not sign two histories. `validators`, `sets`: how many keys and sets signed here. */
  | { readonly code: "validators_honest"; readonly facts: { readonly validators: number; readonly sets: number } }
  /** Keys that are no longer validators' were not used later to sign another past. */
  | { readonly code: "retired_keys_not_misused"; readonly facts: { readonly height: number } }
  /** One key alone carries more than two thirds of the power from `height` on: its holder could rewrite the history. */
  | { readonly code: "single_key_could_rewrite"; readonly facts: { readonly height: number } }
  | { readonly code: "cryptography_holds"; readonly facts: { readonly signature: string; readonly hash: string } };

/** The verdict on an evidence file. */
export type EvidenceVerdict =
  | { readonly ok: true; readonly chainId: string; readonly proves: readonly Claim[]; readonly assumes: readonly Assumption[] }
  | { readonly ok: false; readonly code: string; readonly facts: Facts };

/**
 * Verifies every header, every signature and every statement of a file. Any byte that differs from what was exported makes it fail.
 *
 * Codes of a failure: `malformed`, `evidence_chain` (another chain than the trusted one), `evidence_header_missing`,
 * `evidence_header_unneeded`, `evidence_statement` (its proof does not hold), and those of `LightClient.advance`.
 */
export async function verifyEvidence(bytes: Bytes, trust: EvidenceTrust, verify?: VerifySignature): Promise<EvidenceVerdict> {
  try {
    const evidence = decodeEvidence(bytes);
    requireNeeded(evidence, "checkpoint" in trust);
    const headers = await verifyHeaders(evidence, trust, verify);
    const proves = evidence.statements.map((statement, index) => prove(statement, index, headers));
    return { ok: true, chainId: evidence.chainId, proves, assumes: assumptions(evidence, trust) };
  } catch (error) {
    if (error instanceof Fault) return { ok: false, code: error.code, facts: error.facts };
    throw error;
  }
}

// Validators are followed change by change, never by a jump: a court should not depend on a third of an old set.
async function verifyHeaders(
  { chainId, headers }: Evidence,
  trust: EvidenceTrust,
  verify: VerifySignature | undefined,
): Promise<ReadonlyMap<number, VerifiedHeader>> {
  if ("genesis" in trust && trust.genesis.chainId !== chainId)
    throw new Fault("evidence_chain", { chain: chainId, expected: trust.genesis.chainId });
  const start =
    "genesis" in trust ? trust.genesis : { chainId, height: trust.checkpoint.height, headerHash: trust.checkpoint.hash };
  const client = new LightClient(start, verify, { skipping: false });
  const verified = new Map<number, VerifiedHeader>();
  for (const block of headers) verified.set(block.header.height, await client.advance(block));
  return verified;
}

/** Every header serves: as the checkpoint at the start, to carry a statement, or to change the validators before a later one. */
function requireNeeded({ headers, statements }: Evidence, fromCheckpoint: boolean): void {
  const shown = new Set(statements.map(({ height }) => height + 1));
  headers.forEach(({ header }, i) => {
    const starts = fromCheckpoint && i === 0;
    const changes = i < headers.length - 1 && !equal(header.validatorsHash, header.nextValidatorsHash);
    if (!starts && !changes && !shown.has(header.height)) throw new Fault("evidence_header_unneeded", { height: header.height });
  });
}

function prove(statement: Statement, index: number, headers: ReadonlyMap<number, VerifiedHeader>): Claim {
  const { height, key, proof } = statement;
  const header = headers.get(height + 1);
  if (header === undefined) throw new Fault("evidence_header_missing", { height: height + 1, statement: index });
  const wrong = new Fault("evidence_statement", { statement: index, height, key });
  if (!verifyState(header, statement.value === undefined ? { key, proof } : { key, value: statement.value, proof })) throw wrong;
  const time = header.time.seconds;
  if (statement.kind === "state")
    return statement.value === undefined
      ? { code: "state_absent", height, time, key }
      : { code: "state_held", height, time, key, value: statement.value };

  const { epoch, entry, path } = statement;
  const log = readLogHead(key, epoch, statement.value);
  if (!verifyLogEntry(entry, statement.index, log.size, path, log.root)) throw wrong;
  return { code: "log_entry", height, time, epoch, index: statement.index, sequence: log.first + statement.index, entry };
}

function assumptions({ chainId, headers }: Evidence, trust: EvidenceTrust): Assumption[] {
  const sets = new Set(headers.map(({ header }) => toHex(header.validatorsHash)));
  const keys = new Set(headers.flatMap(({ validators }) => validators.map(({ publicKey }) => toHex(publicKey))));
  const single = headers.find(({ validators }) =>
    validators.some(({ power }) => 3 * power > 2 * cometbft.totalPower(validators)),
  );
  const last = headers.at(-1) as cometbft.LightBlock;
  return [
    "genesis" in trust
      ? { code: "genesis_genuine", facts: { chain: chainId } }
      : { code: "checkpoint_genuine", facts: { height: trust.checkpoint.height, hash: toHex(trust.checkpoint.hash) } },
    { code: "validators_honest", facts: { validators: keys.size, sets: sets.size } },
    { code: "retired_keys_not_misused", facts: { height: last.header.height } },
    ...(single === undefined ? [] : [{ code: "single_key_could_rewrite", facts: { height: single.header.height } } as const]),
    { code: "cryptography_holds", facts: { signature: signaturesOf(headers), hash: "SHA-256" } },
  ];
}

/** The signature algorithms that validators of these headers signed with. */
function signaturesOf(headers: readonly cometbft.LightBlock[]): string {
  const types = new Set(headers.flatMap(({ validators }) => validators.map(({ publicKey }) => cometbft.keyTypeOf(publicKey))));
  const names: Record<cometbft.KeyType, string> = { ed25519: "Ed25519", "ml-dsa-65": "ML-DSA-65" };
  return cometbft.KEY_TYPES.filter((type) => types.has(type))
    .map((type) => names[type])
    .join(", ");
}
