/**
 * An actor's keys over time: a key that goes out stays in the list with the height from which it no longer counts, so that what it
 * signed before stays explainable.
 * Source: design.md, "Identity" (keys are replaced with history intact).
 */
import { isWeakerSuite, keyId } from "@xinglin/crypto/pure";
import { accept, type Height, type Result, refuse, type UnixSeconds } from "@xinglin/primitives";
import { type Actor, type ActorKey, MAX_KEYS, type PublicKey, type SuiteId } from "../model/actor.ts";

/** In the order of the checks. */
export type KeyRefusal = { code: "key_in_use" } | { code: "too_many_keys"; most: number };

/** How far ahead a one-time enrolment key may be valid. */
export const MAX_ENROLMENT_SECONDS = 30 * 86_400;

/** Why a one-time enrolment key cannot be valid as long as asked. */
export type EnrolmentPeriodRefusal = { code: "enrolment_over" } | { code: "enrolment_too_long"; mostSeconds: number };

/** Whether a one-time key's validity ends in the future, and soon enough. */
export function checkEnrolmentPeriod(notAfter: UnixSeconds, time: UnixSeconds): Result<undefined, EnrolmentPeriodRefusal> {
  if (notAfter <= time) return refuse({ code: "enrolment_over" });
  if (notAfter > time + MAX_ENROLMENT_SECONDS) return refuse({ code: "enrolment_too_long", mostSeconds: MAX_ENROLMENT_SECONDS });
  return accept(undefined);
}

/** The actor's key of this id, if it is not retired. */
export const currentKey = (actor: Actor, id: string): ActorKey | undefined =>
  actor.keys.find((key) => key.id === id && key.until === undefined);

/** Whether the actor has, or once had, this key, or awaits its use as one-time key. */
export const hasKey = ({ keys, enrolment }: Actor, { suite, key }: PublicKey): boolean => {
  const id = keyId(suite, key);
  return (
    keys.some((known) => known.id === id) ||
    (enrolment !== undefined && keyId(enrolment.publicKey.suite, enrolment.publicKey.key) === id)
  );
};

/** A key that would be a step down, with the suite that it would have to match. */
export type WeakerRefusal = { code: "suite_weaker"; suite: SuiteId };

/**
 * Whether a key of suite `next` may come in on the word of keys of suites `held`: not if any of them is stronger. So an actor whose keys are
 * post-quantum stays so, whatever its own keys sign; only whoever registered it can let in another (`authorizeEnrolment`).
 */
export function checkNotWeaker(next: SuiteId, held: readonly SuiteId[]): Result<undefined, WeakerRefusal> {
  const stronger = held.find((suite) => isWeakerSuite(next, suite));
  return stronger === undefined ? accept(undefined) : refuse({ code: "suite_weaker", suite: stronger });
}

/** The suites of the actor's keys in force. */
export const currentSuites = ({ keys }: Actor): SuiteId[] =>
  keys.filter(({ until }) => until === undefined).map(({ publicKey }) => publicKey.suite);

/** The actor's keys with `publicKey` appended at `height`, and each key that `retires` says retired there. */
export function withKey(
  actor: Actor,
  publicKey: PublicKey,
  height: Height,
  retires: (key: ActorKey) => boolean,
): Result<ActorKey[], KeyRefusal> {
  if (hasKey(actor, publicKey)) return refuse({ code: "key_in_use" });
  if (actor.keys.length >= MAX_KEYS) return refuse({ code: "too_many_keys", most: MAX_KEYS });
  const kept = actor.keys.map((key) => (key.until === undefined && retires(key) ? { ...key, until: height } : key));
  return accept([...kept, { id: keyId(publicKey.suite, publicKey.key), publicKey, since: height }]);
}
