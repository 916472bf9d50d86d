/**
 * What a proposal changes when it passes, and why it may not. Asked when it is made, and again when it is decided.
 * Source: requirements A3, A8; design.md, "Validators".
 */
import { cometbft, keyId } from "@xinglin/crypto/pure";
import { type ActorId, accept, equal, invariant, type MemberId, type Result, refuse } from "@xinglin/primitives";
import { type NodeRefusal, nodeChanges } from "../identity/set-nodes.ts";
import type { Actor, Member } from "../model/actor.ts";
import { hasRoomForVotes } from "../model/block-room.ts";
import { type Candidate, type Election, MAX_FORMER_ADDRESSES } from "../model/election.ts";
import { CAPPED_FROM, type ElectionParameters, electionContradiction, MAX_VALIDATORS } from "../model/election-parameters.ts";
import type { Action } from "../model/proposal.ts";
import { getActor, getElection, getMember, getParameters, getValidators } from "../reads.ts";
import { type BlockContext, type Change, put, type StateReader } from "../rule.ts";
import { keys } from "../state-keys.ts";
import { admitCustodian, type CustodianRefusal, retireCustodian } from "./custodians.ts";
import { newcomerScore } from "./score.ts";
import { isEligible } from "./seats.ts";

/** In the order of the checks of each kind of action. */
export type ActionRefusal =
  | { code: "member_id_random" }
  | { code: "member_known"; member: MemberId }
  | NodeRefusal
  | { code: "unknown_member"; member: MemberId }
  | { code: "member_not_active"; member: MemberId }
  | { code: "unknown_validator"; member: MemberId }
  | { code: "validator_key_in_use" }
  | { code: "unchanged" }
  | { code: "last_validator" }
  | { code: "too_many_validators"; most: number }
  | { code: "election_contradiction"; bounds: "seats" | "utilisation" | "blocks" }
  | { code: "too_few_validators"; left: number; least: number }
  | CustodianRefusal;

type Acted = Result<readonly Change[], ActionRefusal>;

/** The institution that an action is about, if it is about one. */
export const memberOf = (action: Action): MemberId | undefined => {
  if (action.kind === "admitMember") return action.id;
  return "member" in action ? action.member : undefined;
};

/** The changes of an action, or why it can't be done as things stand. */
export function act(state: StateReader, action: Action, block: BlockContext): Acted {
  switch (action.kind) {
    case "admitMember":
      return admitMember(state, action, block);
    case "removeMember":
      return removeMember(state, action, block);
    case "readmitMember":
      return readmitMember(state, action.member);
    case "admitValidator":
      return admitValidator(state, action, block);
    case "removeValidator":
      return removeValidator(state, action.member, action.force);
    case "setElection":
      return setElection(state, action.election);
    case "admitCustodian":
      return admitCustodian(state, action, block);
    case "retireCustodian":
      return retireCustodian(state, action, block);
  }
}

type ActionOf<Kind extends Action["kind"]> = Extract<Action, { readonly kind: Kind }>;

function admitMember(state: StateReader, action: ActionOf<"admitMember">, { height }: BlockContext): Acted {
  const { id, as, name, hpke, key, nodes } = action;
  const administration = id as string as ActorId;
  if (/^[0-9a-f]{32}$/.test(id)) return refuse({ code: "member_id_random" });
  if (getMember(state, id) !== undefined || getActor(state, administration) !== undefined)
    return refuse({ code: "member_known", member: id });
  const named = nodeChanges(state, id, [], nodes ?? []);
  if (!named.ok) return named;
  const member: Member = { kind: as, name, status: "active", hpke, ...(nodes === undefined ? {} : { nodes }) };
  const first = { id: keyId(key.suite, key.key), publicKey: key, since: height };
  const actor: Actor = { kind: "member", member: id, status: "active", keys: [first] };
  return accept([put(keys.member(id), member), put(keys.actor(administration), actor), ...named.value]);
}

function removeMember(state: StateReader, { member: id, force }: ActionOf<"removeMember">, { height }: BlockContext): Acted {
  const member = getMember(state, id);
  if (member === undefined) return refuse({ code: "unknown_member", member: id });
  if (member.removedAt !== undefined) return refuse({ code: "unchanged" });
  const removed: Member = { ...member, status: "suspended", removedAt: height };
  const isCandidate = getElection(state)?.candidates.some((one) => one.member === id) === true;
  const validator = isCandidate ? removeValidator(state, id, force) : accept([]);
  return validator.ok ? accept([put(keys.member(id), removed), ...validator.value]) : validator;
}

function readmitMember(state: StateReader, id: MemberId): Acted {
  const member = getMember(state, id);
  if (member === undefined) return refuse({ code: "unknown_member", member: id });
  const { removedAt, ...rest } = member;
  if (removedAt === undefined) return refuse({ code: "unchanged" });
  return accept([put(keys.member(id), { ...rest, status: "active" })]);
}

/** A newcomer gets a seat of its own while there may be more, else it stands by until the election gives it one. */
function admitValidator(state: StateReader, action: ActionOf<"admitValidator">, { height }: BlockContext): Acted {
  // The proof was verified with the signatures of the transaction that proposed it.
  const { kind: _, possession: __, ...key } = action;
  const member = getMember(state, key.member);
  if (member === undefined) return refuse({ code: "unknown_member", member: key.member });
  if (member.status !== "active") return refuse({ code: "member_not_active", member: key.member });
  const standing = electionOf(state);
  const { election, parameters } = standing;
  const address = cometbft.addressOf(key.publicKey);
  const own = election.candidates.find((one) => one.member === key.member);
  const uses = (one: Candidate): boolean => equal(one.address, address) || one.former.some((known) => equal(known, address));
  if (election.candidates.some((one) => one.member !== key.member && uses(one))) return refuse({ code: "validator_key_in_use" });
  const isSameKey = own !== undefined && equal(own.address, address);
  if (isSameKey && isEligible(own)) return refuse({ code: "unchanged" });
  if (holdsOnlySeat(state, standing, key.member)) return refuse({ code: "last_validator" });
  if (own === undefined && election.candidates.length >= MAX_VALIDATORS)
    return refuse({ code: "too_many_validators", most: MAX_VALIDATORS });
  const others = election.candidates.filter((one) => one !== own);
  const former =
    own === undefined || isSameKey ? (own?.former ?? []) : [own.address, ...own.former].slice(0, MAX_FORMER_ADDRESSES);
  const isReplacement = own !== undefined && isEligible(own);
  const admitted: Candidate = {
    ...key,
    address,
    former,
    // A new key does not wash off what the old one did before it; a new admission does.
    since: isReplacement ? own.since : height,
    standing: "fit",
    strikes: isReplacement ? own.strikes : 0,
    score: isReplacement ? own.score : newcomerScore(parameters.weights),
  };
  const isFull = others.filter(isEligible).length >= election.seats;
  const seats = isFull ? Math.min(Math.max(parameters.maxSeats, election.seats), election.seats + 1) : election.seats;
  return accept([put(keys.election, { ...election, seats, candidates: [...others, admitted] })]);
}

function removeValidator(state: StateReader, member: MemberId, force: boolean): Acted {
  const standing = electionOf(state);
  const { election } = standing;
  const gone = election.candidates.find((one) => one.member === member);
  if (gone === undefined) return refuse({ code: "unknown_validator", member });
  const candidates = election.candidates.filter((one) => one !== gone);
  const left = candidates.filter(isEligible).length;
  if (left === 0 || holdsOnlySeat(state, standing, member)) return refuse({ code: "last_validator" });
  if (isEligible(gone) && left < CAPPED_FROM && !force) return refuse({ code: "too_few_validators", left, least: CAPPED_FROM });
  return accept([put(keys.election, { ...election, candidates })]);
}

function setElection(state: StateReader, election: ActionOf<"setElection">["election"]): Acted {
  const parameters = getParameters(state);
  const standing = electionOf(state);
  const change = put(keys.parameters, { ...parameters, election });
  const before = state.get(keys.parameters);
  if (before !== undefined && change.value !== null && equal(before, change.value)) return refuse({ code: "unchanged" });
  const bounds = electionContradiction(election);
  if (bounds !== undefined) return refuse({ code: "election_contradiction", bounds });
  if (parameters !== undefined && !hasRoomForVotes(parameters, election.maxSeats))
    return refuse({ code: "election_contradiction", bounds: "blocks" });
  const was = standing.parameters.maxSeats;
  const least = Math.min(was, CAPPED_FROM);
  if (election.maxSeats < least) return refuse({ code: "too_few_validators", left: election.maxSeats, least });
  const seats = Math.min(election.maxSeats, Math.max(election.minSeats, standing.election.seats));
  return accept(seats === standing.election.seats ? [change] : [change, put(keys.election, { ...standing.election, seats })]);
}

interface Standing {
  readonly election: Election;
  readonly parameters: ElectionParameters;
}

/** Every chain has both from its genesis on. */
function electionOf(state: StateReader): Standing {
  const election = getElection(state);
  const parameters = getParameters(state)?.election;
  invariant(election !== undefined && parameters !== undefined, "a chain has an election and its parameters");
  return { election, parameters };
}

/** Whether nobody but this member's node makes blocks: on a chain of one seat nobody ever takes over, on another nobody does yet. */
function holdsOnlySeat(state: StateReader, { election, parameters }: Standing, member: MemberId): boolean {
  const isSole = parameters.maxSeats === 1 || election.candidates.filter(isEligible).length === 1;
  return isSole && getValidators(state).some((validator) => validator.member === member);
}
