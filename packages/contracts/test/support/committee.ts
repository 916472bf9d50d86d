/** The small consortium with as many validators as are asked for, one a member, under a consortium's parameters; and blocks over it. */
import { cometbft } from "@xinglin/crypto/pure";
import type { ActorId, Bytes, MemberId, ProposalId } from "@xinglin/primitives";
import {
  type BlockConduct,
  type Candidate,
  type ClosedBlock,
  CONSORTIUM_ELECTION,
  closeBlock,
  type Election,
  type ElectionParameters,
  getElection,
  getParameters,
  getValidators,
  keys,
  type OperationOf,
  proposalContent,
  type Validator,
} from "../../src/index.ts";
import {
  administration,
  bytes,
  commission,
  hex32,
  hospitalA,
  hospitalB,
  institute,
  publicKey,
  type World,
  world,
} from "./world.ts";

export const MEMBERS: readonly MemberId[] = [
  commission,
  hospitalA,
  hospitalB,
  institute,
  ...[5, 6, 7, 8, 9, 10, 11, 12].map((n) => `hospital-${n}` as MemberId),
];
/** The validator key of the n-th member. */
export const validatorKeyOf = (n: number): Bytes => bytes(32, 100 + n);
/** A proof of possession where no rule asks for it: the ledger has verified it before. */
export const NOT_ASKED: Bytes = new Uint8Array(64);
export const addressOf = (n: number): Bytes => cometbft.addressOf(validatorKeyOf(n));
export const by = (n: number) => ({ by: administration(MEMBERS[n] as MemberId) });
export const proposalId = (n: number): ProposalId => hex32("a0", n) as ProposalId;

export const candidateOf = (n: number, changed: Partial<Candidate> = {}): Candidate => ({
  member: MEMBERS[n] as MemberId,
  publicKey: validatorKeyOf(n),
  address: addressOf(n),
  former: [],
  since: 0 as Candidate["since"],
  standing: "fit",
  strikes: 0,
  score: 1_000_000,
  ...changed,
});

/** A consortium of `size` validators of equal power, all active. */
export function consortium(size: number, changed: Partial<ElectionParameters> = {}): World {
  const made = world();
  for (const [n, member] of MEMBERS.slice(0, size).entries()) {
    if (n < 4) continue;
    const { value } = { value: made.read<object>(keys.member(hospitalB)) };
    made.set(keys.member(member), value);
    const actor = made.read<object>(keys.actor(administration(hospitalB)));
    const key = { id: "5".repeat(16), publicKey: publicKey(700 + n), since: 0 };
    made.set(keys.actor(member as string as ActorId), { ...actor, member, keys: [key] });
  }
  const candidates = MEMBERS.slice(0, size).map((_, n) => candidateOf(n));
  const election: Election = { epoch: 1, since: 0 as Election["since"], seats: size, penalties: 0, candidates };
  const validators: Validator[] = candidates.map(({ member, publicKey }) => ({ member, publicKey, power: 10 }));
  return made
    .set(keys.election, election)
    .set(keys.validators, validators)
    .set(keys.parameters, { ...getParameters(made), election: { ...CONSORTIUM_ELECTION, ...changed } });
}

/** Replaces candidates by number. */
export function withCandidates(of: World, changed: Readonly<Record<number, Partial<Candidate>>>): World {
  const election = getElection(of)!;
  const candidates = election.candidates.map((one, n) => ({ ...one, ...changed[n] }));
  return of.set(keys.election, { ...election, candidates });
}

/** Closes the next block and applies it. By default one operation, everybody signed and nothing misbehaved. */
export function close(of: World, conduct: Partial<BlockConduct> = {}): ClosedBlock {
  of.height = (of.height + 1) as World["height"];
  const lastCommit = getValidators(of).map(({ publicKey }) => ({ address: cometbft.addressOf(publicKey), signed: true }));
  const block = { chain: "test-0", height: of.height, time: of.time };
  const closed = closeBlock(of, block, { operations: 1, points: new Map(), lastCommit, misbehaviour: [], ...conduct });
  of.apply({ ...closed, subject: {} });
  return closed;
}

export const propose = (
  action: OperationOf<"proposeChange">["action"],
  id = proposalId(1),
  notAfter = 1_800_000_000 + 1000,
): OperationOf<"proposeChange"> => ({
  op: "proposeChange",
  id,
  action,
  notAfter: notAfter as OperationOf<"proposeChange">["notAfter"],
});
export const vote = (
  action: OperationOf<"proposeChange">["action"],
  ballot: "yes" | "no" = "yes",
  id = proposalId(1),
): OperationOf<"castVote"> => ({ op: "castVote", proposal: id, content: proposalContent(action), ballot });

/** Proposes by member 0 and lets members 1.. say yes, as many as are needed. */
export function decide(of: World, action: OperationOf<"proposeChange">["action"], id: ProposalId, yes: number): void {
  const notAfter = of.time + 1000;
  of.do(by(0), propose(action, id, notAfter));
  for (let n = 1; n < yes; n++) of.do(by(n), vote(action, "yes", id));
}
