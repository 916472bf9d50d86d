/**
 * What kind of attack two contradicting blocks show, who is to blame, and the evidence that a CometBFT node takes.
 * Source: CometBFT v0.40 `types/evidence.go` (ConflictingHeaderIsInvalid, GetByzantineValidators), `light/detector.go`.
 */
import { cometbft } from "@xinglin/crypto/pure";
import { type Bytes, equal, toHex } from "@xinglin/primitives";

/**
 * `lunatic`: the header is none that the rules make (state, validators or parameters are made up). `equivocation`: validators signed two
 * blocks in one round. `amnesia`: two blocks of different rounds; the signatures alone do not tell who broke the rules.
 */
export type AttackKind = "lunatic" | "equivocation" | "amnesia";

/** One block held against another that is taken for true. */
export interface Attack {
  readonly kind: AttackKind;
  /** Validators that are to blame, in the order of a set; none for amnesia. */
  readonly byzantine: readonly cometbft.Validator[];
  /** Their power, and that of all validators at the common height. */
  readonly power: number;
  readonly totalPower: number;
  /** Protobuf bytes of `tendermint.types.Evidence`, as `broadcast_evidence` of a CometBFT node wants it. */
  readonly evidence: Bytes;
}

/** Judges `conflicting`, with `trusted` taken for true and `common` the newest block that both histories share. */
export function judgeAttack(conflicting: cometbft.LightBlock, trusted: cometbft.LightBlock, common: cometbft.LightBlock): Attack {
  const isMadeUp = FIELDS.some((field) => !equal(conflicting.header[field], trusted.header[field]));
  const kind = isMadeUp ? "lunatic" : conflicting.commit.round === trusted.commit.round ? "equivocation" : "amnesia";
  const byzantine = blamed(kind, conflicting, trusted, common);
  const base = isMadeUp ? common : trusted;
  const totalPower = cometbft.totalPower(base.validators);
  const evidence = cometbft.encodeAttackEvidence({
    conflicting,
    commonHeight: base.header.height,
    byzantine,
    totalPower,
    time: base.header.time,
  });
  return { kind, byzantine, power: byzantine.reduce((sum, { power }) => sum + power, 0), totalPower, evidence };
}

/** What every honest node computes alike from the block before. */
const FIELDS = ["validatorsHash", "nextValidatorsHash", "consensusHash", "appHash", "lastResultsHash"] as const;

function blamed(
  kind: AttackKind,
  conflicting: cometbft.LightBlock,
  trusted: cometbft.LightBlock,
  common: cometbft.LightBlock,
): cometbft.Validator[] {
  if (kind === "amnesia") return [];
  const signed = signersOf(conflicting);
  const alsoSigned = kind === "equivocation" ? signersOf(trusted) : signed;
  const set = kind === "equivocation" ? conflicting.validators : common.validators;
  return set.filter(({ publicKey }) => signed.has(toHex(publicKey)) && alsoSigned.has(toHex(publicKey)));
}

const signersOf = ({ commit, validators }: cometbft.LightBlock): ReadonlySet<string> =>
  new Set(validators.filter((_, i) => commit.signatures[i]?.flag === "commit").map(({ publicKey }) => toHex(publicKey)));
