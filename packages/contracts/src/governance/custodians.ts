/**
 * Who keeps shares of keys, decided by the committee's vote: a member's custodian admitted, retired, or let back. What is kept already stays as it is:
 * a retired custodian gets no share of a new key, and still releases and erases those that it has.
 * Source: requirements A3, D9; design.md, "Consent, access, custody".
 */
import { keyId } from "@xinglin/crypto/pure";
import { type ActorId, accept, equal, type MemberId, type Result, refuse } from "@xinglin/primitives";
import { type Actor, type Custodian, MAX_ADMITTED_CUSTODIANS } from "../model/actor.ts";
import type { Action } from "../model/proposal.ts";
import { getActor, getAdmittedCustodians, getCustodian, getMember } from "../reads.ts";
import { type BlockContext, type Change, put, type StateReader } from "../rule.ts";
import { keys } from "../state-keys.ts";

/** In the order of the checks of each kind of action. */
export type CustodianRefusal =
  | { code: "unknown_member"; member: MemberId }
  | { code: "member_not_active"; member: MemberId }
  | { code: "custodian_id_wrong"; member: MemberId }
  | { code: "custodian_known"; custodian: ActorId }
  | { code: "too_many_custodians"; most: number }
  | { code: "unknown_custodian"; custodian: ActorId }
  | { code: "unchanged" };

type Acted = Result<readonly Change[], CustodianRefusal>;
type ActionOf<Kind extends Action["kind"]> = Extract<Action, { readonly kind: Kind }>;

/**
 * Registers a member's custodian with its keys. Its id follows from the member's, so that no member has two and half of the shares in one hand. One that was
 * retired comes back under the keys it had: shares are sealed to them.
 */
export function admitCustodian(state: StateReader, action: ActionOf<"admitCustodian">, { height }: BlockContext): Acted {
  const { id, member: owner, hpke, key } = action;
  const member = getMember(state, owner);
  if (member === undefined) return refuse({ code: "unknown_member", member: owner });
  if (member.status !== "active") return refuse({ code: "member_not_active", member: owner });
  if (id !== `custodian-${owner}`) return refuse({ code: "custodian_id_wrong", member: owner });
  const known = getCustodian(state, id);
  const actor = getActor(state, id);
  if (known !== undefined && actor !== undefined) return readmit(id, known, actor, action);
  if (actor !== undefined) return refuse({ code: "custodian_known", custodian: id });
  const admitted = getAdmittedCustodians(state);
  if (admitted.length >= MAX_ADMITTED_CUSTODIANS) return refuse({ code: "too_many_custodians", most: MAX_ADMITTED_CUSTODIANS });
  const custodian: Custodian = { member: owner, hpke, status: "active" };
  const first = { id: keyId(key.suite, key.key), publicKey: key, since: height };
  const signer: Actor = { kind: "custodian", member: owner, status: "active", keys: [first] };
  return accept([
    put(keys.custodian(id), custodian),
    put(keys.actor(id), signer),
    put(keys.admittedCustodians, [...admitted, id]),
  ]);
}

function readmit(id: ActorId, known: Custodian, actor: Actor, { hpke, key }: ActionOf<"admitCustodian">): Acted {
  const newest = actor.keys.find(({ until }) => until === undefined);
  const hasSameKeys =
    newest !== undefined &&
    newest.publicKey.suite === key.suite &&
    equal(newest.publicKey.key, key.key) &&
    equal(known.hpke, hpke);
  if (!hasSameKeys) return refuse({ code: "custodian_known", custodian: id });
  if (known.status === "active") return refuse({ code: "unchanged" });
  const { retiredAt: _, ...rest } = known;
  return accept([put(keys.custodian(id), { ...rest, status: "active" })]);
}

/** No share of a new key goes to it from this block on. */
export function retireCustodian(
  state: StateReader,
  { custodian: id }: ActionOf<"retireCustodian">,
  { height }: BlockContext,
): Acted {
  const known = getCustodian(state, id);
  if (known === undefined) return refuse({ code: "unknown_custodian", custodian: id });
  if (known.status !== "active") return refuse({ code: "unchanged" });
  return accept([put(keys.custodian(id), { ...known, status: "retired", retiredAt: height })]);
}
