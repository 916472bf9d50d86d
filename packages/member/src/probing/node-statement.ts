/**
 * What a node says of itself to a peer that probes it, signed by an actor of its member: nobody on the way can say something else in its name, and
 * the asker's random bytes keep an old answer from being shown again. What it says may still be a lie: see "Probes".
 * Source: requirement A8; docs/internals/validators.md, "Probes".
 */
import type { Identity } from "@xinglin/client";
import { signerReference } from "@xinglin/client";
import { getActor, type StateReader, SUITES } from "@xinglin/contracts";
import { verifySync } from "@xinglin/crypto/node";
import { LONGEST_SIGNATURE_BYTES } from "@xinglin/crypto/pure";
import { actorId, type Bytes, cbor, equal, Fault, type MemberId, schema } from "@xinglin/primitives";

/** Random bytes of whoever asks. */
export const NONCE_BYTES = 32;
const MAX_STATEMENT_BYTES = 1_024;
const MAX_FREE_MEGABYTES = 1_000_000_000;

const nodeStatement = schema.object({
  type: schema.oneOf("xinglin-node-statement/1"),
  chain: schema.text(50),
  actor: actorId,
  key: schema.text(16, /^[0-9a-f]{16}$/),
  suite: schema.oneOf(...SUITES),
  nonce: schema.bytes(NONCE_BYTES),
  freeMegabytes: schema.uint(MAX_FREE_MEGABYTES),
});
const signedStatement = schema.object({
  statement: schema.bytes(1, MAX_STATEMENT_BYTES),
  signature: schema.bytes(64, LONGEST_SIGNATURE_BYTES),
});
/** Longest signed statement. */
export const MAX_SIGNED_STATEMENT_BYTES = MAX_STATEMENT_BYTES + LONGEST_SIGNATURE_BYTES + 64;

/** Says, as `by`, how much space the node has free. */
export async function signStatement(
  by: Identity,
  { chain, nonce, freeMegabytes }: { readonly chain: string; readonly nonce: Bytes; readonly freeMegabytes: number },
): Promise<Bytes> {
  const content = {
    type: "xinglin-node-statement/1",
    chain,
    ...signerReference(by),
    nonce,
    freeMegabytes: Math.min(MAX_FREE_MEGABYTES, freeMegabytes),
  };
  const statement = cbor.encode(nodeStatement.parse(content));
  return cbor.encode({ statement, signature: await by.signer.sign(statement) });
}

/** What the statement must be: of which member's node, of which chain, in answer to which random bytes. */
export interface ExpectedStatement {
  readonly member: MemberId;
  readonly chain: string;
  readonly nonce: Bytes;
}

/**
 * The free megabytes that a member's node states. `state` is the asker's own. Throws `malformed`, `wrong_chain`, and `signature_wrong` where it is not
 * by a key in use of an active actor of that member, or answers another question.
 */
export function readStatement(bytes: Bytes, state: StateReader, { member, chain, nonce }: ExpectedStatement): number {
  const { statement, signature } = signedStatement.parse(cbor.decode(bytes, MAX_SIGNED_STATEMENT_BYTES));
  const said = nodeStatement.parse(cbor.decode(statement, MAX_STATEMENT_BYTES));
  if (said.chain !== chain) throw new Fault("wrong_chain", { chain: said.chain });
  const actor = getActor(state, said.actor);
  const key = actor?.keys.find(({ id, until }) => id === said.key && until === undefined)?.publicKey;
  const isOfMember = actor?.member === member && actor.status === "active";
  if (!isOfMember || key?.suite !== said.suite || !equal(said.nonce, nonce)) throw new Fault("signature_wrong");
  if (!verifySync(said.suite, key.key, statement, signature)) throw new Fault("signature_wrong");
  return said.freeMegabytes;
}
