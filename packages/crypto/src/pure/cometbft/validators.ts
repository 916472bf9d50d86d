/**
 * Validator sets: their order, their hash, their total power.
 * Source: CometBFT v0.40 `types/validator_set.go` (ValidatorsByVotingPower, Hash).
 */
import { type Bytes, compare, concat, Fault } from "@xinglin/primitives";
import { root } from "../merkle.ts";
import { intField, messageField } from "../protobuf.ts";
import { addressOf, encodePublicKey } from "./encode.ts";
import { KEY_TYPE, KEY_TYPES } from "./key-type.ts";
import type { Validator } from "./types.ts";

/** The most validators of a set. CometBFT allows 10,000; a consortium has tens. */
export const MAX_VALIDATORS = 1_000;

// Three times the total stays a safe integer, so that thirds are compared exactly.
const MAX_TOTAL_POWER = Math.floor(Number.MAX_SAFE_INTEGER / 3);

/** The same validators in the order of a CometBFT set: power descending, then address ascending. Throws as `checkValidators`. */
export function sortValidators(validators: readonly Validator[]): Validator[] {
  const keyed = validators.map((validator) => ({ validator, address: addressOf(validator.publicKey) }));
  keyed.sort((a, b) => b.validator.power - a.validator.power || compare(a.address, b.address));
  const sorted = keyed.map(({ validator }) => validator);
  checkValidators(sorted);
  return sorted;
}

/** Throws `Fault("malformed")` unless this is a set: not empty, sorted, no key twice, powers from 1, total within bounds. */
export function checkValidators(validators: readonly Validator[]): void {
  const wrong = (reason: string): Fault => new Fault("malformed", { element: "validators", reason });
  if (validators.length === 0 || validators.length > MAX_VALIDATORS) throw wrong("count");
  const seen = new Set<string>();
  let before: { power: number; address: Bytes } | undefined;
  for (const { publicKey, power } of validators) {
    if (!KEY_TYPES.some((type) => KEY_TYPE[type].publicKey === publicKey.length)) throw wrong("key");
    if (!Number.isSafeInteger(power) || power < 1) throw wrong("power");
    const address = addressOf(publicKey);
    if (seen.has(address.join())) throw wrong("repeated");
    seen.add(address.join());
    if (before !== undefined && (power > before.power || (power === before.power && compare(before.address, address) > 0)))
      throw wrong("order");
    before = { power, address };
  }
  if (!(totalPower(validators) <= MAX_TOTAL_POWER)) throw wrong("power");
}

/** The sum of all voting powers. */
export const totalPower = (validators: readonly Validator[]): number => validators.reduce((sum, { power }) => sum + power, 0);

/** `Header.validatorsHash` of a sorted set: the Merkle root over `SimpleValidator`. */
export const validatorsHash = (validators: readonly Validator[]): Bytes =>
  root(validators.map(({ publicKey, power }) => concat(messageField(1, encodePublicKey(publicKey)), intField(2, power))));
