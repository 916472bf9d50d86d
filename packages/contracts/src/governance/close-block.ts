/**
 * What a block does to the validators beside its operations: it counts commits, operations and anchored records, takes the seat of whoever
 * misbehaved, ends an epoch when it is time, and hands consensus the changed powers, which are in force two heights later.
 *
 * A block without transactions changes nothing, so an idle chain stands still: commits are counted in blocks with transactions only, and an epoch
 * ends with the first of these at or after its boundary. The one exception is evidence of misbehaviour, which counts in any block:
 * a seat must not stay until somebody happens to submit something.
 *
 * Between epochs the set changes only when a seat is to be given or taken (a vote, a penalty), one step a block; powers alone wait for the epoch.
 * A penalty acts at once, whatever the step. The last validator is never taken away, and a chain whose `maxSeats` is 1 keeps its one.
 *
 * Reads `election`, `validators`, `tally`, and at the end of an epoch `probe/…`; writes these, `epoch/{n}`, `penalty/{n}` and
 * `validators/earlier`. Cost: linear in the validators, whatever the members hold; at the end of an epoch see `endEpoch`.
 *
 * Source: requirements A3, A4, A8; design.md, "Validators", "Time"; CometBFT v0.40 ABCI++ (FinalizeBlock, validator updates at H+2).
 */
import { type Bytes, equal, type Height, type MemberId, toHex } from "@xinglin/primitives";
import type { Candidate, EarlierValidators, Election, MISBEHAVIOURS, Penalty, Tally } from "../model/election.ts";
import type { ElectionParameters } from "../model/election-parameters.ts";
import type { Validator } from "../model/genesis.ts";
import { getEarlierValidators, getElection, getParameters, getTally, getValidators } from "../reads.ts";
import { type BlockContext, type Change, put, type StateReader } from "../rule.ts";
import { keys } from "../state-keys.ts";
import { endEpoch } from "./end-epoch.ts";
import { wantedValidators } from "./seats.ts";
import { type PowerChange, powerChanges, stepTowards } from "./voting-power.ts";

/** Records of closed epochs that the state keeps. */
export const KEPT_EPOCHS = 100;

/** What the driver and the operations of a block say of members and validators. */
export interface BlockConduct {
  /** Operations decided in the block; 0 for a block without transactions that counted. */
  readonly operations: number;
  /** Points for anchored records, by the member whose operations they were. */
  readonly points: ReadonlyMap<MemberId, number>;
  /** Who was due to sign the commit before, and who did. */
  readonly lastCommit: readonly { readonly address: Bytes; readonly signed: boolean }[];
  readonly misbehaviour: readonly {
    readonly kind: (typeof MISBEHAVIOURS)[number];
    readonly address: Bytes;
    readonly height: number;
  }[];
}

/** Changes of the state, and of the validators from two heights above on. */
export interface ClosedBlock {
  readonly changes: readonly Change[];
  readonly validatorUpdates: readonly PowerChange[];
}

const NOTHING: ClosedBlock = { changes: [], validatorUpdates: [] };

/** Closes a block over the state that its operations left. */
export function closeBlock(state: StateReader, block: BlockContext, conduct: BlockConduct): ClosedBlock {
  if (conduct.operations === 0 && conduct.misbehaviour.length === 0) return NOTHING;
  const parameters = getParameters(state)?.election;
  const before = getElection(state);
  if (parameters === undefined || before === undefined) return NOTHING;
  if (parameters.maxSeats === 1) return NOTHING;
  if (before.candidates.length === 1 && getValidators(state).length === 1) return NOTHING;

  const { penalties, election: afterPenalties } = penalise(before, conduct.misbehaviour, block.height);
  const changes: Change[] = penalties.map((penalty, i) => put(keys.penalty(before.penalties + 1 + i), penalty));
  let election = afterPenalties;
  let isEpochOver = false;
  if (conduct.operations > 0) {
    const tally = counted(getTally(state), election, conduct);
    isEpochOver = block.height >= election.since + parameters.epochBlocks;
    if (isEpochOver) {
      const ended = endEpoch(state, election, tally, parameters, block.height);
      changes.push(put(keys.epoch(election.epoch), ended.record), put(keys.tally, EMPTY_TALLY));
      if (election.epoch > KEPT_EPOCHS) changes.push({ key: keys.epoch(election.epoch - KEPT_EPOCHS), value: null });
      election = ended.election;
    } else changes.push(put(keys.tally, tally));
  }
  if (election !== before) changes.push(put(keys.election, election));
  const moved = moveSeats(state, election, parameters, block.height, { isEpochOver, isPenalty: penalties.length > 0 });
  return { changes: [...changes, ...moved.changes], validatorUpdates: moved.validatorUpdates };
}

const EMPTY_TALLY: Tally = { blocks: 0, operations: 0, rows: [] };

/** Takes the standing of every candidate that misbehaved since it was admitted. Evidence of anybody else changes nothing. */
function penalise(
  election: Election,
  misbehaviour: BlockConduct["misbehaviour"],
  at: Height,
): { penalties: Penalty[]; election: Election } {
  const penalties: Penalty[] = [];
  const penalised = new Set<MemberId>();
  for (const { kind, address, height } of misbehaviour) {
    const culprit = election.candidates.find((one) => isKnownBy(one, address));
    if (culprit === undefined || culprit.standing === "penalised" || penalised.has(culprit.member)) continue;
    if (height < culprit.since) continue;
    penalised.add(culprit.member);
    penalties.push({ member: culprit.member, address, kind, height: height as Height, at });
  }
  if (penalties.length === 0) return { penalties, election };
  const candidates = election.candidates.map(
    (one): Candidate => (penalised.has(one.member) ? { ...one, standing: "penalised" } : one),
  );
  return { penalties, election: { ...election, penalties: election.penalties + penalties.length, candidates } };
}

const isKnownBy = ({ address, former }: Candidate, asked: Bytes): boolean =>
  equal(address, asked) || former.some((one) => equal(one, asked));

/** The tally with this block. Members without a candidate, and validators that are no candidates any more, are not counted. */
function counted(tally: Tally = EMPTY_TALLY, { candidates }: Election, conduct: BlockConduct): Tally {
  const rows = new Map(tally.rows.map((row) => [row.member, row]));
  const votes = new Map(conduct.lastCommit.map(({ address, signed }) => [toHex(address), signed]));
  return {
    blocks: tally.blocks + 1,
    operations: tally.operations + conduct.operations,
    rows: candidates.map(({ member, address, former }) => {
      const { due, signed, points } = rows.get(member) ?? { due: 0, signed: 0, points: 0 };
      const vote = votes.get(toHex(address)) ?? former.map((one) => votes.get(toHex(one))).find((one) => one !== undefined);
      return {
        member,
        due: due + Number(vote !== undefined),
        signed: signed + Number(vote === true),
        points: points + (conduct.points.get(member) ?? 0),
      };
    }),
  };
}

/** The next set, if it is another one. */
function moveSeats(
  state: StateReader,
  election: Election,
  parameters: ElectionParameters,
  height: Height,
  { isEpochOver, isPenalty }: { readonly isEpochOver: boolean; readonly isPenalty: boolean },
): ClosedBlock {
  const current = getValidators(state);
  const wanted = wantedValidators(election, current, parameters);
  if (wanted.length === 0 || (!isEpochOver && hasSameKeys(current, wanted))) return NOTHING;
  const next = isPenalty ? wanted : stepTowards(current, wanted, parameters.stepPerMille);
  const validatorUpdates = powerChanges(current, next);
  if (validatorUpdates.length === 0) return NOTHING;
  const earlier: EarlierValidators = getEarlierValidators(state).filter(({ until }) => until >= height);
  const changes = [
    put(keys.validators, next),
    // What is decided here is in force two heights above.
    put(keys.earlierValidators, [...earlier, { until: height + 1, validators: current }]),
  ];
  return { changes, validatorUpdates };
}

function hasSameKeys(one: readonly Validator[], other: readonly Validator[]): boolean {
  const known = new Map(one.map(({ member, publicKey }) => [member, publicKey]));
  const isKnown = ({ member, publicKey }: Validator): boolean => equal(known.get(member) ?? NO_KEY, publicKey);
  // A member that is in a set twice, by an old key and a new one, has yet to lose the old one.
  return one.length === other.length && known.size === one.length && other.every(isKnown);
}
const NO_KEY = new Uint8Array(0);
