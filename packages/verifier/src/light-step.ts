/**
 * One step of a light client: from what is trusted to a later light block, with the rules of CometBFT.
 * Source: CometBFT v0.40 `light/verifier.go` (VerifyAdjacent, VerifyNonAdjacent, HeaderExpired), `types/validation.go`.
 */
import { cometbft } from "@xinglin/crypto/pure";
import { equal, Fault } from "@xinglin/primitives";
import { powerThatSigned, type VerifySignature, verifyCommit } from "./commit.ts";

/** A header may be this far ahead of the clock that the caller gives, unless told otherwise. */
export const MAX_CLOCK_DRIFT_SECONDS = 10;

/**
 * For how long a verified header is good to start from: 30 days. The consortium must hold validators to account for what their keys sign at
 * least that long after they left.
 */
export const TRUSTING_PERIOD_SECONDS = 30 * 86_400;

/**
 * When a block that does not follow the trusted one directly is believed. `named`: its validators are those that the trusted header names for the
 * next height. `overlap`: validators with more than a third of the trusted power signed it (what CometBFT does). `both`: either.
 */
export type Jumps = "named" | "overlap" | "both";

/** How steps are judged. */
export interface StepRules {
  readonly verify: VerifySignature;
  readonly jumps: Jumps;
  /** Seconds UTC. Without it no header is too old or of the future. */
  readonly now?: number | undefined;
  /** Without it trust does not end. */
  readonly trustingPeriodSeconds?: number | undefined;
  readonly clockDriftSeconds?: number | undefined;
}

/** What is trusted: a verified header with its validators, or the validators of a genesis at height 0. */
export interface Anchor {
  readonly chainId: string;
  readonly height: number;
  /** Of the header; a genesis has none. */
  readonly hash?: cometbft.Header["appHash"] | undefined;
  /** Of the header. */
  readonly time?: cometbft.Time | undefined;
  /** When the trust began to age; without it, it does not. */
  readonly since?: cometbft.Time | undefined;
  readonly validators: readonly cometbft.Validator[];
  /** Hash of the validators of the next height. */
  readonly nextHash: cometbft.Header["appHash"];
}

/** The anchor that a verified light block makes. */
export const anchorOf = ({ header, validators }: cometbft.LightBlock): Anchor => ({
  chainId: header.chainId,
  height: header.height,
  hash: cometbft.headerHash(header),
  time: header.time,
  since: header.time,
  validators,
  nextHash: header.nextValidatorsHash,
});

/** The anchor of a genesis; `time` in seconds is that of the document. Throws `Fault("malformed")` for validators that are no set. */
export function genesisAnchor(trust: {
  readonly chainId: string;
  readonly validators: readonly cometbft.Validator[];
  readonly time?: number | undefined;
}): Anchor {
  const validators = cometbft.sortValidators(trust.validators);
  const since = trust.time === undefined ? undefined : { seconds: trust.time, nanos: 0 };
  return { chainId: trust.chainId, height: 0, since, validators, nextHash: cometbft.validatorsHash(validators) };
}

/** Throws `Fault("trust_expired")` if the trust is older than the trusting period. */
export function requireFreshTrust({ height, since }: Anchor, { now, trustingPeriodSeconds }: StepRules): void {
  if (now === undefined || trustingPeriodSeconds === undefined || since === undefined) return;
  const left = since.seconds + trustingPeriodSeconds - now;
  if (left > 0 || (left === 0 && since.nanos > 0)) return;
  const days = Math.floor((now - since.seconds) / 86_400);
  throw new Fault("trust_expired", { height, days, maxDays: Math.floor(trustingPeriodSeconds / 86_400) });
}

/** What a header must be whatever is trusted: `header_protocol`, `header_chain`, `header_future`. */
export function requireHeader(header: cometbft.Header, chainId: string, rules: StepRules): void {
  const { height } = header;
  if (header.version.block !== cometbft.BLOCK_PROTOCOL)
    throw new Fault("header_protocol", { height, version: header.version.block });
  if (header.chainId !== chainId) throw new Fault("header_chain", { height, chain: header.chainId, expected: chainId });
  const { now, clockDriftSeconds = MAX_CLOCK_DRIFT_SECONDS } = rules;
  if (now !== undefined && header.time.seconds >= now + clockDriftSeconds)
    throw new Fault("header_future", { height, aheadSeconds: header.time.seconds - now }, { retry: true });
}

/**
 * Verifies that `block` follows from `anchor`. Throws `Fault`: those of `requireHeader`, `requireFreshTrust` and `verifyCommit`,
 * `header_not_newer`, `header_conflict`, `header_time`, `header_validators`, `malformed`, and `validators_unproven`, which alone a block in between may cure.
 */
export async function verifyStep(anchor: Anchor, block: cometbft.LightBlock, rules: StepRules): Promise<void> {
  requireHeader(block.header, anchor.chainId, rules);
  requireNewer(block.header, anchor);
  requireFreshTrust(anchor, rules);
  requireOwnValidators(block);
  requireProven(anchor, block, rules.jumps);
  await verifyCommit(block, cometbft.headerHash(block.header), rules.verify);
}

/** The validators are a set, and the one that the header names. */
export function requireOwnValidators({ header, validators }: cometbft.LightBlock): void {
  cometbft.checkValidators(validators);
  if (!equal(cometbft.validatorsHash(validators), header.validatorsHash))
    throw new Fault("header_validators", { height: header.height });
}

/** Whether validators with more than a third of the trusted power signed the block. */
export function overlaps(trusted: readonly cometbft.Validator[], block: cometbft.LightBlock): boolean {
  return 3 * powerThatSigned(trusted, block) > cometbft.totalPower(trusted);
}

function requireProven(anchor: Anchor, block: cometbft.LightBlock, jumps: Jumps): void {
  const { header } = block;
  const isAdjacent = header.height === anchor.height + 1;
  const isNamed = equal(header.validatorsHash, anchor.nextHash);
  if (isNamed && (isAdjacent || jumps !== "overlap")) return;
  if (!isAdjacent && jumps !== "named" && overlaps(anchor.validators, block)) return;
  throw new Fault("validators_unproven", { height: header.height, trusted: anchor.height });
}

function requireNewer({ height, time }: cometbft.Header, trusted: Anchor): void {
  if (height === trusted.height) throw new Fault("header_conflict", { height });
  if (height < trusted.height) throw new Fault("header_not_newer", { height, trusted: trusted.height });
  if (trusted.time !== undefined && !isLater(time, trusted.time))
    throw new Fault("header_time", { height, trusted: trusted.height });
}

/** Whether `a` is after `b`. */
export const isLater = (a: cometbft.Time, b: cometbft.Time): boolean =>
  a.seconds > b.seconds || (a.seconds === b.seconds && a.nanos > b.nanos);
