/** A genesis with any number of validators, each of a member of its own, and the seeds of their keys. */
import { createHash } from "node:crypto";
import { CONSORTIUM_ELECTION, encodeGenesis, type Genesis, type Parameters } from "@xinglin/contracts";
import { genesisWith, keyOf } from "@xinglin/ledger/testing/chain";
import type { Bytes, MemberId } from "@xinglin/primitives";

const nameOf = (index: number): string => (index === 0 ? "validator" : `validator-${index}`);
const memberOf = (index: number): MemberId => (index === 0 ? "commission" : `site-${index}`) as MemberId;

/** Seed of the key that `keyOf` gives the same name. */
const seedOf = (name: string): Bytes => new Uint8Array(createHash("sha256").update(`test key ${name}`).digest());

export interface Consortium {
  readonly genesis: Bytes;
  readonly seeds: readonly Bytes[];
}

/** As many validators of equal power. */
export function consortiumOf(validators: number, parameters: Partial<Parameters> = {}): Consortium {
  const election = validators === 1 ? {} : { election: { ...CONSORTIUM_ELECTION, minSeats: Math.min(4, validators) } };
  const base = genesisWith({ ...election, ...parameters });
  const indexes = Array.from({ length: validators }, (_, index) => index);
  const hospital = base.members.find(({ id }) => id === ("hospital-a" as MemberId))!;
  const sites = indexes.slice(1).map((index) => ({
    ...hospital,
    id: memberOf(index),
    key: { ...hospital.key, key: keyOf(memberOf(index)).publicKey },
  }));
  const genesis: Genesis = {
    ...base,
    members: [...base.members, ...sites],
    validators: indexes.map((index) => ({ publicKey: keyOf(nameOf(index)).publicKey, power: 10, member: memberOf(index) })),
  };
  return { genesis: encodeGenesis(genesis), seeds: indexes.map((index) => seedOf(nameOf(index))) };
}
