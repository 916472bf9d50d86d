/**
 * The evidence file: one canonical DAG-CBOR value that holds whatever a stranger needs to check statements about a chain offline.
 * There is no free text and nothing else in it that no hash or signature covers, and exactly one byte string for one content.
 * Source: requirement F12; design.md, "A record never goes on the chain"; docs/internals/proofs.md.
 */
import { cometbft } from "@xinglin/crypto/pure";
import { type Bytes, cbor, compare, Fault, type Infer, schema } from "@xinglin/primitives";

/** Bounds of a file: enough for years of validator changes, little enough to hold in memory. */
export const MAX_EVIDENCE_BYTES = 33_554_432;
const MAX_HEADERS = 10_000;
const MAX_STATEMENTS = 10_000;
const MAX_VALUE_BYTES = 1_048_576;
const MAX_PROOF_BYTES = 2_097_152;

const height = schema.uint();
const key = schema.text(200);
const proof = schema.bytes(1, MAX_PROOF_BYTES);

const statement = schema.variant("kind", {
  /** The state after block `height` held `value` under `key`, or nothing if there is no value. */
  state: schema.object({ height, key, value: schema.optional(schema.bytes(1, MAX_VALUE_BYTES)), proof }),
  /** Entry `index` of the audit log's `epoch`, with the path to the log's root, and that root's own place in the state. */
  log: schema.object({
    height,
    epoch: schema.uint(),
    index: schema.uint(),
    entry: schema.bytes(1, MAX_VALUE_BYTES),
    path: schema.list(schema.bytes(32), 53),
    key,
    value: schema.bytes(1, 4_096),
    proof,
  }),
});

const evidenceFile = schema.object({
  type: schema.oneOf("xinglin-evidence/1"),
  chainId: schema.text(50),
  /** Light blocks in rising order: for each statement that of `height + 1`, and every one at which the validators change before the last. */
  headers: schema.list(schema.bytes(1, MAX_VALUE_BYTES), MAX_HEADERS, 1),
  statements: schema.list(statement, MAX_STATEMENTS, 1),
});

/** One statement of an evidence file, with its proof. */
export type Statement = Infer<typeof statement>;

/** The content of an evidence file. */
export interface Evidence {
  readonly chainId: string;
  readonly headers: readonly cometbft.LightBlock[];
  readonly statements: readonly Statement[];
}

/**
 * The bytes of an evidence file; headers and statements may come in any order and are sorted. Throws `Fault("malformed")` on repetitions
 * and on what no file may hold. Whether it proves anything is for `verifyEvidence`: call it before handing a file out.
 */
export function encodeEvidence({ chainId, headers, statements }: Evidence): Bytes {
  const file = {
    type: "xinglin-evidence/1",
    chainId,
    headers: [...headers].sort((a, b) => a.header.height - b.header.height).map(cometbft.encodeLightBlock),
    statements: [...statements].sort(byHeightThenBytes),
  };
  const bytes = cbor.encode(evidenceFile.parse(file));
  decodeEvidence(bytes);
  return bytes;
}

/** The content of an evidence file. Throws `Fault("malformed")` on anything that `encodeEvidence` would not write. Nothing is verified yet. */
export function decodeEvidence(bytes: Bytes): Evidence {
  const file = evidenceFile.parse(cbor.decode(bytes, MAX_EVIDENCE_BYTES));
  const headers = file.headers.map(cometbft.decodeLightBlock);
  requireRising(headers, (a, b) => a.header.height - b.header.height, "/headers");
  requireRising(file.statements, byHeightThenBytes, "/statements");
  return { chainId: file.chainId, headers, statements: file.statements };
}

const byHeightThenBytes = (a: Statement, b: Statement): number => a.height - b.height || compare(cbor.encode(a), cbor.encode(b));

function requireRising<T>(items: readonly T[], order: (a: T, b: T) => number, element: string): void {
  for (let i = 1; i < items.length; i++)
    if (order(items[i - 1] as T, items[i] as T) >= 0)
      throw new Fault("malformed", { element: `${element}/${i}`, expected: "rising order" });
}
