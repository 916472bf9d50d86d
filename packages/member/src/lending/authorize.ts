/** Whether the chain stands behind a pass: whose it is, as of now. Source: docs/internals/archive.md, "At another member's". */
import { MAX_PASS_SECONDS, readPass } from "@xinglin/archive";
import { callerOf, getActor, type StateReader } from "@xinglin/contracts";
import { verifySync } from "@xinglin/crypto/node";
import { type Bytes, Fault, type MemberId } from "@xinglin/primitives";

/**
 * The member of a pass's signer. Throws `wrong_chain`, `session_period_wrong`, `signature_wrong`, or an admission code of the rules. Patients
 * have no pass: no store needs to hear of them.
 */
export function memberOfPass(
  chain: StateReader & { readonly chainId: string },
  pass: Bytes,
  nowSeconds: number,
): { readonly member: MemberId } {
  const { statement, signed, signature } = readPass(pass);
  if (statement.chain !== chain.chainId) throw new Fault("wrong_chain", { chain: chain.chainId });
  const { notBefore, notAfter, actor: id, key, suite } = statement;
  if (notAfter - notBefore > MAX_PASS_SECONDS || nowSeconds < notBefore || nowSeconds >= notAfter)
    throw new Fault("session_period_wrong", { mostSeconds: MAX_PASS_SECONDS });
  const actor = getActor(chain, id);
  if (actor === undefined || actor.kind === "patient" || suite === "webauthn") throw new Fault("unknown_signer", { actor: id });
  const caller = callerOf(chain, { signer: { actor: id, key, suite }, sponsor: actor.member });
  if (!caller.ok) throw new Fault(caller.refusal.code, caller.refusal.facts);
  if (caller.value.byEnrolment) throw new Fault("enrolment_key_only_enrols");
  if (!verifySync(suite, caller.value.publicKey.key, signed, signature)) throw new Fault("signature_wrong");
  return { member: actor.member };
}
