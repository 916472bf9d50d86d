/** A genesis with any number of validators, each of a member of its own, and the seeds of their keys. */
import { randomBytes } from "node:crypto";
import { CONSORTIUM_ELECTION, encodeGenesis, type Genesis, type Parameters } from "@xinglin/contracts";
import { genesisWith, keyOf } from "@xinglin/ledger/testing/chain";
import type { Bytes, MemberId } from "@xinglin/primitives";
import { publicKeyOf } from "../../src/home/keys.ts";

const memberOf = (index: number): MemberId => (index === 0 ? "commission" : `site-${index}`) as MemberId;

export interface Consortium {
  readonly genesis: Bytes;
  readonly seeds: readonly Bytes[];
}

/** As many validators of equal power. Their keys are new each time: a machine runs one node with a key, and tests run side by side. */
export function consortiumOf(validators: number, parameters: Partial<Parameters> = {}): Consortium {
  const election = validators === 1 ? {} : { election: { ...CONSORTIUM_ELECTION, minSeats: Math.min(4, validators) } };
  const base = genesisWith({ ...election, ...parameters });
  const seeds = Array.from({ length: validators }, () => new Uint8Array(randomBytes(32)));
  const hospital = base.members.find(({ id }) => id === ("hospital-a" as MemberId))!;
  const sites = seeds.slice(1).map((_, i) => ({
    ...hospital,
    id: memberOf(i + 1),
    key: { ...hospital.key, key: keyOf(memberOf(i + 1)).publicKey },
  }));
  const genesis: Genesis = {
    ...base,
    members: [...base.members, ...sites],
    validators: seeds.map((seed, index) => ({ publicKey: publicKeyOf(seed), power: 10, member: memberOf(index) })),
  };
  return { genesis: encodeGenesis(genesis), seeds };
}
