/**
 * From the genesis document to the chain's id and first state.
 * Source: design.md, "Ledger"; requirement A1.
 */
import { cometbft, keyId, sha256 } from "@xinglin/crypto/pure";
import { type ActorId, type Bytes, cbor, Fault, type Height, toHex } from "@xinglin/primitives";
import type { Actor, PublicKey } from "./model/actor.ts";
import { hasRoomForVotes } from "./model/block-room.ts";
import type { Candidate, Election } from "./model/election.ts";
import { electionContradiction } from "./model/election-parameters.ts";
import { type Genesis, genesis as genesisSchema } from "./model/genesis.ts";
import { type Change, put } from "./rule.ts";
import { keys } from "./state-keys.ts";

const MAX_GENESIS_BYTES = 4_194_304;
/** 96 bits: who pins the id pins the document, since another that fits it can't be computed. With the longest name, 49 of CometBFT's 50 characters. */
const CHAIN_ID_HASH_DIGITS = 24;
/** Height at which the keys of the genesis begin. */
const GENESIS_HEIGHT = 0 as Height;
/** Score of the first validator with the most power, until the first epoch measures: what an average node reaches. */
const FIRST_SCORE = 1_000_000;

/** Canonical bytes of a genesis document: what its hash is taken of. */
export const encodeGenesis = (genesis: Genesis): Bytes => cbor.encode(genesis);

/** Decodes and checks a genesis document. Throws `Fault("malformed")`, or `Fault("genesis_invalid")` with the reason where its parts disagree. */
export function decodeGenesis(bytes: Bytes): Genesis {
  const genesis = genesisSchema.parse(cbor.decode(bytes, MAX_GENESIS_BYTES));
  const reason = disagreement(genesis);
  if (reason !== undefined) throw new Fault("genesis_invalid", { reason });
  return genesis;
}

/** The chain's id: its name and the first 24 hex digits of the SHA-256 of its genesis document. */
export const chainIdOf = (genesisBytes: Bytes): string =>
  `${decodeGenesis(genesisBytes).name}-${toHex(sha256(genesisBytes)).slice(0, CHAIN_ID_HASH_DIGITS)}`;

/** The first state: parameters, validators and who may become one, class matrix, members and custodians with their keys. Throws `Fault("genesis_invalid")`. */
export function genesisChanges(genesis: Genesis): Change[] {
  const reason = disagreement(genesis);
  if (reason !== undefined) throw new Fault("genesis_invalid", { reason });
  const changes: Change[] = [put(keys.parameters, genesis.parameters), put(keys.validators, genesis.validators)];
  changes.push(put(keys.election, firstElection(genesis)));
  for (const { category, level, basis } of genesis.matrix) changes.push(put(keys.classRule(category, level), { basis }));
  for (const { id, member, key } of genesis.members) {
    const administration = id as string as ActorId;
    changes.push(put(keys.member(id), member), put(keys.actor(administration), firstActor("member", id, key)));
    for (const node of member.nodes ?? []) changes.push(put(keys.node(toHex(node)), { member: id }));
  }
  for (const { id, member, key, hpke } of genesis.custodians) {
    changes.push(
      put(keys.custodian(id), { member, hpke, status: "active" }),
      put(keys.actor(id), firstActor("custodian", member, key)),
    );
  }
  return changes;
}

function firstElection({ validators }: Genesis): Election {
  const most = validators.reduce((sofar, { power }) => Math.max(sofar, power), 1);
  const candidates = validators.map(
    ({ power, ...validator }): Candidate => ({
      ...validator,
      address: cometbft.addressOf(validator.publicKey),
      former: [],
      since: GENESIS_HEIGHT,
      standing: "fit",
      strikes: 0,
      score: Math.max(1, Math.floor((FIRST_SCORE * power) / most)),
    }),
  );
  return { epoch: 1, since: GENESIS_HEIGHT, seats: validators.length, penalties: 0, candidates };
}

const firstActor = (kind: Actor["kind"], member: Actor["member"], publicKey: PublicKey): Actor => ({
  kind,
  member,
  status: "active",
  keys: [{ id: keyId(publicKey.suite, publicKey.key), publicKey, since: GENESIS_HEIGHT }],
});

const repeats = (values: readonly string[]): boolean => new Set(values).size !== values.length;
const looksRandom = (id: string): boolean => /^[0-9a-f]{32}$/.test(id);

/** What in a well-formed genesis contradicts itself, if anything does. */
function disagreement({ members, custodians, validators, matrix, parameters }: Genesis): string | undefined {
  const known = new Set<string>(members.map(({ id }) => id));
  if (known.size !== members.length) return "member_repeated";
  const actors = [...members, ...custodians].map(({ id }) => id as string);
  if (repeats(actors)) return "custodian_repeated";
  if (members.some(({ id }) => looksRandom(id))) return "member_id_like_a_random_one";
  if (![...custodians, ...validators].every(({ member }) => known.has(member))) return "unknown_member";
  if (repeats(members.flatMap(({ member }) => (member.nodes ?? []).map(toHex)))) return "node_repeated";
  if (repeats(validators.map(({ publicKey }) => toHex(publicKey)))) return "validator_repeated";
  if (repeats(validators.map(({ member }) => member))) return "validator_member_repeated";
  if (electionContradiction(parameters.election) !== undefined) return "election_bounds_contradict";
  if (validators.length > parameters.election.maxSeats) return "more_validators_than_seats";
  if (!hasRoomForVotes(parameters, parameters.election.maxSeats)) return "blocks_too_small";
  if (repeats([...members, ...custodians].map(({ key }) => keyId(key.suite, key.key)))) return "key_repeated";
  if (repeats(matrix.map(({ category, level }) => `${category}/${level}`))) return "matrix_cell_repeated";
  return undefined;
}
