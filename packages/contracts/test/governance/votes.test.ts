import assert from "node:assert/strict";
import { test } from "node:test";
import type { ActorId, MemberId } from "@xinglin/primitives";
import fc from "fast-check";
import {
  type Action,
  type CastVoteRefusal,
  committeeOf,
  getActor,
  getElection,
  getMember,
  getParameters,
  getProposal,
  keys,
  MAX_ADMITTED_CUSTODIANS,
  type Outcome,
  type ProposeChangeRefusal,
  votesNeeded,
} from "../../src/index.ts";
import {
  by,
  candidateOf,
  consortium,
  decide,
  MEMBERS,
  NOT_ASKED,
  proposalId,
  propose,
  validatorKeyOf,
  vote,
  withCandidates,
} from "../support/committee.ts";
import { codeOf, testRefusals } from "../support/refusals.ts";
import { administration, at, bytes, hospitalA, hospitalB, institute, people, publicKey, type World } from "../support/world.ts";

const newMember = "hospital-new" as MemberId;
const admitMember: Action = {
  kind: "admitMember",
  id: newMember,
  as: "hospital",
  name: { zh: "新医院", en: "New Hospital" },
  hpke: bytes(1216, 3),
  key: publicKey(800),
};
const remove: Action = { kind: "removeValidator", member: institute, force: true };
const removeMember: Action = { kind: "removeMember", member: institute, force: true };
const rotate: Action = { kind: "admitValidator", member: hospitalA, publicKey: bytes(32, 77), possession: NOT_ASKED };
const { election } = getParameters(consortium(4))!;
const setElection: Action = { kind: "setElection", election: { ...election, epochBlocks: 10 } };
const five = (): World => consortium(5);
const suspended = (): World => {
  const made = consortium(4);
  return made.set(keys.member(hospitalA), { ...getMember(made, hospitalA), status: "suspended" });
};
const lone = (): World => withCandidates(consortium(2), { 1: { standing: "unfit" } });
const full = (): World => {
  const made = consortium(4);
  const standing = getElection(made)!;
  for (let i = 0; i < 97; i++) made.set(keys.member(`member-${i}` as MemberId), getMember(made, hospitalB));
  const more = Array.from({ length: 97 }, (_, i) => candidateOf(i + 20, { member: `member-${i}` as MemberId }));
  return made.set(keys.election, { ...standing, candidates: [...standing.candidates.slice(0, 3), ...more] });
};
const admitCustodian: Extract<Action, { kind: "admitCustodian" }> = {
  kind: "admitCustodian",
  id: "custodian-hospital-b" as ActorId,
  member: hospitalB,
  hpke: bytes(1216, 4),
  key: publicKey(801),
};
const crowded = (): World =>
  consortium(4).set(
    keys.admittedCustodians,
    Array.from({ length: MAX_ADMITTED_CUSTODIANS }, (_, n) => `custodian-of-${n}`),
  );
/** Why each action may not be done, asked where one yes is enough or the proposer's check meets it. */
const impossible: Readonly<Record<string, readonly [() => World, Action]>> = {
  member_id_random: [() => consortium(4), { ...admitMember, id: "a".repeat(32) as MemberId }],
  member_known: [() => consortium(4), { ...admitMember, id: hospitalB }],
  node_in_use: [
    () => consortium(4).set(keys.node("07".repeat(20)), { member: hospitalB }),
    { ...admitMember, nodes: [new Uint8Array(20).fill(7)] },
  ],
  unknown_member: [() => consortium(4), { kind: "readmitMember", member: "nobody" as MemberId }],
  member_not_active: [suspended, rotate],
  unknown_validator: [() => consortium(4), { ...remove, member: "nobody" as MemberId }],
  validator_key_in_use: [() => consortium(4), { ...rotate, publicKey: validatorKeyOf(3) }],
  unchanged: [() => consortium(4), { ...rotate, publicKey: validatorKeyOf(1) }],
  last_validator: [lone, { ...remove, member: MEMBERS[0]! }],
  too_many_validators: [full, { kind: "admitValidator", member: institute, publicKey: bytes(32, 79), possession: NOT_ASKED }],
  election_contradiction: [() => consortium(4), { kind: "setElection", election: { ...election, minSeats: 50 } }],
  too_few_validators: [() => consortium(4), { ...remove, force: false }],
  custodian_id_wrong: [() => consortium(4), { ...admitCustodian, id: "custodian-1" as ActorId }],
  custodian_known: [
    () => consortium(4).set(keys.actor(admitCustodian.id), getActor(consortium(4), hospitalB as string as ActorId)),
    admitCustodian,
  ],
  too_many_custodians: [crowded, admitCustodian],
  unknown_custodian: [() => consortium(4), { kind: "retireCustodian", custodian: "custodian-none" as ActorId }],
};

test("no vote gives a chain more seats than its blocks hold votes of: no proposer could make a block then", () => {
  const bounds = (maxBlockBytes: number, maxSeats: number): unknown => {
    const made = consortium(4);
    made.set(keys.parameters, { ...getParameters(made)!, maxBlockBytes });
    const outcome = made.decide(by(0), propose({ kind: "setElection", election: { ...election, maxSeats } }));
    return outcome.ok ? "accepted" : [outcome.refusal.code, outcome.refusal.facts];
  };
  const refused = ["election_contradiction", { bounds: "blocks" }];
  // Both sets of a change of hands, 1,024 bytes beside votes, and a quarter for evidence.
  const enough = Math.ceil(((2 * 30 * 3_358 + 1_024) * 4) / 3);
  assert.equal(bounds(enough, 30), "accepted");
  assert.deepEqual(bounds(enough, 31), refused);
  assert.deepEqual(bounds(enough - 2, 30), refused);
});

const proposing = (code: keyof typeof impossible): Outcome => {
  const [state, action] = impossible[code]!;
  return state().decide(by(0), propose(action));
};
/** The deciding vote on a proposal that was possible when it was made. */
const voting = (code: keyof typeof impossible): Outcome => {
  const [state, action] = impossible[code]!;
  const made = state();
  const possible = consortium(4);
  possible.do(by(0), propose(remove));
  const proposal = getProposal(possible, proposalId(1))!;
  const { content } = vote(action);
  // Everybody but the voter has said yes already; a lone member's own proposal stands as if somebody else had made it.
  const committee = committeeOf(getElection(made)!);
  const ballots = committee.slice(1).map((member) => ({ member, ballot: "yes", height: 1 }));
  made.set(keys.proposal(proposalId(1)), { ...proposal, action, content, ballots });
  return made.decide(by(0), vote(action));
};

const open = consortium(4);
open.do(by(0), propose(remove));
const passed = open.copy();
passed.do(by(1), vote(remove));
passed.do(by(2), vote(remove));

const proposeRefusals: { [Code in ProposeChangeRefusal["code"]]: Outcome } = {
  not_administration: consortium(4).decide({ by: people.ict }, propose(remove)),
  not_in_committee: consortium(3).decide({ by: administration(institute) }, propose(rotate)),
  period_over: consortium(4).decide(by(0), propose(remove, proposalId(1), at(0))),
  proposal_too_long: consortium(4).decide(by(0), propose(remove, proposalId(1), at(1_209_601))),
  id_taken: open.decide(by(1), propose(remove)),
  ...(Object.fromEntries(Object.keys(impossible).map((code) => [code, proposing(code)])) as Record<
    | "member_id_random"
    | "member_known"
    | "node_in_use"
    | "unknown_member"
    | "member_not_active"
    | "unknown_validator"
    | "validator_key_in_use",
    Outcome
  > &
    Record<
      | "unchanged"
      | "last_validator"
      | "too_many_validators"
      | "election_contradiction"
      | "too_few_validators"
      | "custodian_id_wrong"
      | "custodian_known"
      | "too_many_custodians"
      | "unknown_custodian",
      Outcome
    >),
};
testRefusals("proposeChange", proposeRefusals, {
  "a new member": consortium(4).decide(by(0), propose(admitMember)),
  "a removal of one of five": five().decide(by(0), propose({ ...remove, force: false })),
  "where one yes is enough, the change itself": consortium(1).decide(by(0), propose(admitMember)),
  "other parameters": consortium(4).decide(by(0), propose(setElection)),
});

const voteRefusals: { [Code in CastVoteRefusal["code"]]: Outcome } = {
  not_administration: open.decide({ by: people.ict }, vote(remove)),
  not_in_committee: withCandidates(open.copy(), { 3: { standing: "penalised" } }).decide(by(3), vote(remove)),
  unknown_proposal: open.decide(by(1), vote(remove, "yes", proposalId(2))),
  proposal_differs: open.decide(by(1), vote(removeMember)),
  proposal_decided: passed.decide(by(2), vote(remove)),
  proposal_over: open.decide({ ...by(1), time: at(1000) }, vote(remove)),
  already_voted: open.decide(by(0), vote(remove)),
  ...(Object.fromEntries(Object.keys(impossible).map((code) => [code, voting(code)])) as Omit<
    typeof proposeRefusals,
    "not_administration" | "not_in_committee" | "period_over" | "proposal_too_long" | "id_taken"
  >),
};
testRefusals("castVote", voteRefusals, {
  "a yes": open.decide({ ...by(1), time: at(999) }, vote(remove)),
  "a no": open.decide(by(1), vote(remove, "no")),
  "the yes that decides": consortium(2).decide(by(0), propose(admitMember)).ok ? decisive() : assert.fail(),
});
function decisive(): Outcome {
  const made = consortium(2);
  made.do(by(0), propose(admitMember));
  return made.decide(by(1), vote(admitMember));
}

test("of four members three must say yes; the third yes decides, and the change stands in its block", () => {
  const made = consortium(4);
  made.do(by(0), propose(admitMember));
  assert.equal(made.do(by(1), vote(admitMember)).subject.decided, "open");
  assert.equal(getMember(made, newMember), undefined);
  const decided = made.do(by(2), vote(admitMember));
  assert.deepEqual(decided.subject, { proposal: proposalId(1), member: newMember, decided: "passed" });
  assert.equal(getMember(made, newMember)?.status, "active");
  assert.deepEqual(getActor(made, administration(newMember))?.keys[0]?.publicKey, publicKey(800));
});

test("taking out who is unfit leaves no fewer fit ones, so it needs no force", () => {
  const action: Action = { kind: "removeValidator", member: institute, force: false };
  assert.equal(codeOf(consortium(4).decide(by(0), propose(action))), "too_few_validators");
  const unfit = withCandidates(consortium(4), { 3: { standing: "unfit" } });
  assert.equal(codeOf(unfit.decide(by(0), propose(action))), "accepted");
});

test("two noes of four reject, and nothing comes of a rejected proposal", () => {
  const made = consortium(4);
  made.do(by(0), propose(admitMember));
  assert.equal(made.do(by(1), vote(admitMember, "no")).subject.decided, "open");
  assert.equal(made.do(by(2), vote(admitMember, "no")).subject.decided, "rejected");
  assert.equal(codeOf(made.decide(by(3), vote(admitMember))), "proposal_decided");
  assert.equal(getMember(made, newMember), undefined);
});

test("a vote of somebody who left the committee since counts for nothing", () => {
  const made = consortium(5);
  made.do(by(0), propose(admitMember));
  made.do(by(1), vote(admitMember));
  withCandidates(made, { 0: { standing: "penalised" }, 1: { standing: "penalised" } });
  assert.equal(made.do(by(2), vote(admitMember)).subject.decided, "open");
  assert.equal(made.do(by(3), vote(admitMember)).subject.decided, "open");
  assert.equal(made.do(by(4), vote(admitMember)).subject.decided, "passed");
});

/** Suspends the n-th member, or lets it act again, as a commission does if it may. */
const setStatus = (of: World, n: number, status: "active" | "suspended"): string => {
  const outcome = of.decide(by(0), { op: "setMemberStatus", id: MEMBERS[n]!, status });
  if (outcome.ok) of.apply(outcome.value);
  return codeOf(outcome);
};

test("with as many of seven suspended as a commission may suspend, the others decide without the commission", () => {
  const made = consortium(7);
  assert.deepEqual([setStatus(made, 5, "suspended"), setStatus(made, 6, "suspended")], ["accepted", "accepted"]);
  made.do(by(1), propose(admitMember));
  made.do(by(0), vote(admitMember, "no"));
  made.do(by(2), vote(admitMember));
  assert.equal(made.do(by(3), vote(admitMember)).subject.decided, "open");
  assert.equal(made.do(by(4), vote(admitMember)).subject.decided, "passed");
});

test("a commission can't suspend so many that the others can't decide; below four nothing is survived anyway", () => {
  for (let size = 2; size <= 12; size++) {
    const made = consortium(size);
    const told = Array.from({ length: size - 1 }, (_, i) => setStatus(made, i + 1, "suspended"));
    const most = size < 4 ? size - 1 : Math.floor((size - 1) / 3);
    const wanted = told.map((_, i) => (i < most ? "accepted" : "committee_needed"));
    assert.deepEqual(told, wanted, `${size}`);
    // One that acts again makes room for another; who is not in the committee takes none.
    if (size < 4 || size > 11) continue;
    assert.equal(setStatus(made, 1, "active"), "accepted");
    assert.equal(setStatus(made, size - 1, "suspended"), "accepted");
    assert.equal(setStatus(made, 1, "suspended"), "committee_needed");
    const outside = withCandidates(made, { 1: { standing: "penalised" } });
    assert.equal(setStatus(outside, 1, "suspended"), "accepted");
  }
});

test("whoever is suspended, a decision needs more than half of the whole committee: a minority never takes over", () => {
  for (let size = 1; size <= 100; size++)
    for (let voters = 0; voters <= size; voters++) {
      const needed = votesNeeded(voters, size, { ...election, votesPerMille: 501 });
      assert.ok(needed * 2 > size, `${needed} of ${voters} of ${size}`);
    }
  // Two of five, even if all others were suspended by several commissions.
  const made = consortium(5);
  for (const n of [2, 3, 4]) made.set(keys.member(MEMBERS[n]!), { ...getMember(made, MEMBERS[n]!)!, status: "suspended" });
  made.do(by(0), propose(admitMember));
  assert.equal(made.do(by(1), vote(admitMember)).subject.decided, "open");
});

test("a ballot counts for nothing while its member is suspended, and counts again after", () => {
  const made = consortium(7);
  for (const n of [1, 2, 3]) made.do(by(n), n === 1 ? propose(admitMember) : vote(admitMember));
  setStatus(made, 1, "suspended");
  setStatus(made, 2, "suspended");
  assert.equal(made.do(by(4), vote(admitMember)).subject.decided, "open");
  setStatus(made, 1, "active");
  setStatus(made, 2, "active");
  assert.equal(made.do(by(5), vote(admitMember)).subject.decided, "passed");
});

test("more than two thirds are needed with the usual threshold, and any threshold needs more than half", () => {
  for (let size = 1; size <= 100; size++) {
    const needed = votesNeeded(size, size, { ...election, votesPerMille: 667 });
    assert.ok(needed * 3 > size * 2 && (needed - 1) * 3 <= size * 2, `${size}`);
    assert.ok(votesNeeded(size, size, { ...election, votesPerMille: 501 }) * 2 > size);
    assert.equal(votesNeeded(size, size, { ...election, votesPerMille: 1000 }), size);
  }
});

test("a removed member is suspended with its validator, a commission can't let it back, a vote can; so can its validator come back", () => {
  const made = consortium(5);
  decide(made, removeMember, proposalId(1), 4);
  assert.equal(getMember(made, institute)?.status, "suspended");
  assert.ok(!committeeOf(getElection(made)!).includes(institute));
  assert.equal(codeOf(made.decide(by(0), { op: "setMemberStatus", id: institute, status: "active" })), "member_removed");
  decide(made, { kind: "readmitMember", member: institute }, proposalId(2), 3);
  assert.equal(getMember(made, institute)?.status, "active");
  assert.equal(getMember(made, institute)?.removedAt, undefined);
  decide(
    made,
    { kind: "admitValidator", member: institute, publicKey: validatorKeyOf(3), possession: NOT_ASKED },
    proposalId(3),
    3,
  );
  const back = getElection(made)!.candidates.at(-1)!;
  assert.deepEqual([back.member, back.standing, back.since], [institute, "fit", made.height]);
});

test("a validator's new key keeps its place, its strikes and its past; a new admission after a penalty does not", () => {
  const made = withCandidates(consortium(4), { 1: { strikes: 2, score: 123_456 } });
  decide(made, rotate, proposalId(1), 3);
  const rotated = getElection(made)!.candidates.find(({ member }) => member === hospitalA)!;
  assert.deepEqual([rotated.strikes, rotated.score, rotated.since, rotated.former], [2, 123_456, 0, [candidateOf(1).address]]);
  const punished = withCandidates(consortium(4), { 1: { strikes: 2, standing: "penalised" } });
  const again: Action = { kind: "admitValidator", member: hospitalA, publicKey: validatorKeyOf(1), possession: NOT_ASKED };
  decide2(punished, again);
  const back = getElection(punished)!.candidates.find(({ member }) => member === hospitalA)!;
  assert.deepEqual([back.strikes, back.standing, back.since], [0, "fit", punished.height]);
});
/** Votes of 0, 2 and 3: member 1 is penalised. */
function decide2(of: World, action: Action): void {
  of.do(by(0), propose(action));
  of.do(by(2), vote(action));
  of.do(by(3), vote(action));
}

test("on a chain of one seat its one validator is neither removed nor replaced, and others may stand by", () => {
  const made = consortium(1, { minSeats: 1, maxSeats: 1 });
  const key = bytes(32, 78);
  assert.equal(
    codeOf(made.decide(by(0), propose({ kind: "admitValidator", member: MEMBERS[0]!, publicKey: key, possession: NOT_ASKED }))),
    "last_validator",
  );
  made.do(by(0), propose({ kind: "admitValidator", member: hospitalA, publicKey: key, possession: NOT_ASKED }));
  assert.equal(getElection(made)?.seats, 1);
  const gone: Action = { kind: "removeValidator", member: MEMBERS[0]!, force: true };
  assert.equal(codeOf(made.decide(by(0), propose(gone, proposalId(2)))), "last_validator");
  const several: Action = { kind: "setElection", election: { ...election, minSeats: 1, maxSeats: 4 } };
  made.do(by(0), propose(several, proposalId(2)));
  made.do(by(1), vote(several, "yes", proposalId(2)));
  assert.equal(getParameters(made)?.election.maxSeats, 4);
  // Once there are several, it is not made a chain of one again, nor one of four a chain of three.
  const fewer = (maxSeats: number): Action => ({ kind: "setElection", election: { ...election, minSeats: 1, maxSeats } });
  assert.equal(codeOf(made.decide(by(0), propose(fewer(3), proposalId(3)))), "too_few_validators");
});

test("nothing passes without enough different members, whatever they send in whatever order", () => {
  let decided = 0;
  let stayed = 0;
  const anyVote = fc.record({ n: fc.nat(6), ballot: fc.constantFrom("yes", "yes", "no"), wrong: fc.nat(9) });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 7 }), fc.array(anyVote, { maxLength: 14 }), (size, votes) => {
      const made = consortium(size);
      made.do(by(0), propose(admitMember));
      for (const { n, ballot, wrong } of votes) {
        if (n >= size) continue;
        const op = vote(wrong === 0 ? remove : admitMember, ballot);
        const outcome = made.decide(by(n), op);
        if (outcome.ok) made.apply(outcome.value);
      }
      const yes = new Set(
        getProposal(made, proposalId(1))!
          .ballots.filter((cast) => cast.ballot === "yes")
          .map((cast) => cast.member),
      );
      const isIn = getMember(made, newMember) !== undefined;
      if (isIn) decided++;
      else stayed++;
      return isIn === yes.size * 3 > size * 2;
    }),
    { numRuns: 400 },
  );
  assert.ok(decided > 20 && stayed > 20, `generator too narrow: ${decided} decided, ${stayed} stayed`);
});
