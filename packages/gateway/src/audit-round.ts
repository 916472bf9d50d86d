/**
 * The statements of a recorded round as files: all of them, as the auditor keeps them, and one with its path, as it is handed on; and checking either
 * against the chain. Source: requirement D3; docs/internals/archive.md, "Recorded rounds".
 */
import type { ApiClient, Identity, TrustedChain } from "@xinglin/client";
import { type AuditBatch, auditBatch, keys } from "@xinglin/contracts";
import { nodeSha256 } from "@xinglin/crypto/node";
import { merkle } from "@xinglin/crypto/pure";
import { type Bytes, cbor, equal, Fault, fromHex, type Infer, type MemberId, memberId, schema } from "@xinglin/primitives";
import { headerHash } from "@xinglin/verifier";
import { type AuditStatement, commitmentOf, countStatements, decodeStatement } from "./audit-statement.ts";

const MAX_STATEMENTS = 1_000_000;
const MAX_STATEMENT_BYTES = 4_194_304;
const MAX_FILE_BYTES = 1 << 30;
const place = { member: memberId, number: schema.uint(Number.MAX_SAFE_INTEGER, 1) } as const;

const roundFile = schema.object({
  type: schema.oneOf("xinglin-audit-round/1"),
  ...place,
  statements: schema.list(schema.bytes(1, MAX_STATEMENT_BYTES), MAX_STATEMENTS, 1),
});
const proofFile = schema.object({
  type: schema.oneOf("xinglin-audit-proof/1"),
  ...place,
  statement: schema.bytes(1, MAX_STATEMENT_BYTES),
  index: schema.uint(MAX_STATEMENTS),
  path: schema.list(schema.bytes(32), 32),
});
/** All statements of a round, and which of the member's it is. */
export type AuditRoundFile = Infer<typeof roundFile>;
/** One statement of a round, and its way to the root. */
export type AuditProofFile = Infer<typeof proofFile>;

/** The file's bytes. */
export const encodeRound = (round: Omit<AuditRoundFile, "type">): Bytes =>
  cbor.encode({ type: "xinglin-audit-round/1", ...round });

/** Either file. Throws `malformed`. */
export function decodeAuditFile(bytes: Bytes): AuditRoundFile | AuditProofFile {
  const value = cbor.decode(bytes, MAX_FILE_BYTES);
  const isProof = typeof value === "object" && value !== null && "statement" in value;
  return isProof ? proofFile.parse(value) : roundFile.parse(value);
}

/** The statement of a round that names an object, to be handed on. Throws `object_unknown`. */
export function proveStatement({ member, number, statements }: AuditRoundFile, object: string): Bytes {
  const wanted = fromHex(object);
  const index = statements.findIndex((bytes) => {
    const { objects, repairs } = decodeStatement(bytes);
    return objects.some(({ id }) => equal(id, wanted)) || repairs.some((repair) => equal(repair.object, wanted));
  });
  const statement = statements[index];
  if (statement === undefined) throw new Fault("object_unknown", { object });
  const path = merkle.inclusionProof(statements, index, nodeSha256);
  return cbor.encode({ type: "xinglin-audit-proof/1", member, number, statement, index, path } satisfies AuditProofFile);
}

/** What a check came to. */
export interface CheckedStatements {
  readonly member: MemberId;
  readonly number: number;
  /** As the chain has the round. */
  readonly round: AuditBatch;
  readonly statements: readonly AuditStatement[];
  /** Whether the auditor was bound to the draw before: the secret was committed to, and the block came after. */
  readonly isDrawBound: boolean;
}

/**
 * Checks statements against what the validators signed: that they stand under the recorded root, add up to what was recorded, and were drawn as they say.
 * Faults: `malformed`, `audit_statement_wrong` with what does not fit, those of `TrustedChain`.
 */
export async function checkStatements(
  { client, chain }: { readonly client: ApiClient; readonly chain: TrustedChain },
  by: Identity,
  file: AuditRoundFile | AuditProofFile,
): Promise<CheckedStatements> {
  const { member, number } = file;
  const round = await recorded(chain, by, member, number);
  if (round === undefined) throw wrong("number");
  if ("statement" in file) {
    const { statement, index, path } = file;
    if (!merkle.verifyInclusion(statement, index, round.count, path, round.root, nodeSha256)) throw wrong("root");
  } else requireSums(file.statements, round);
  const statements = ("statement" in file ? [file.statement] : file.statements).map(decodeStatement);
  let isDrawBound = true;
  const seen = new Set<string>();
  for (const { chain: id, member: auditor, draw } of statements) {
    if (id !== chain.chainId) throw wrong("chain");
    if (auditor !== member) throw wrong("member");
    const key = JSON.stringify([draw.committed, draw.height, ...draw.hash, ...draw.secret]);
    if (seen.has(key)) continue;
    seen.add(key);
    const header = await chain.header(await client.getBytes(`/v1/light-blocks/${draw.height}`));
    if (!equal(headerHash(header), draw.hash)) throw wrong("block");
    if (draw.committed === undefined) {
      isDrawBound = false;
      continue;
    }
    const before = draw.committed < number ? await recorded(chain, by, member, draw.committed) : undefined;
    const isBound = before?.next !== undefined && equal(before.next, commitmentOf(draw.secret));
    if (!isBound || draw.height !== before.at.height + 1) throw wrong("draw");
  }
  return { member, number, round, statements, isDrawBound };
}

function requireSums(statements: readonly Bytes[], round: AuditBatch): void {
  const counted = countStatements(statements);
  if (!equal(counted.root, round.root)) throw wrong("root");
  for (const name of ["count", "objects", "drawn", "lost", "repaired"] as const)
    if (counted[name] !== round[name]) throw wrong(name);
}

async function recorded(chain: TrustedChain, by: Identity, member: MemberId, number: number): Promise<AuditBatch | undefined> {
  const { value } = await chain.prove(by, keys.audit(member, number));
  return value === undefined ? undefined : auditBatch.parse(cbor.decodeTrusted(value));
}

const wrong = (what: string): Fault => new Fault("audit_statement_wrong", { what });
