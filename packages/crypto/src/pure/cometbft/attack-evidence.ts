/**
 * Evidence of an attack on light clients in the bytes that a CometBFT node takes.
 * Source: CometBFT v0.40 proto `tendermint/types/evidence.proto`, `types/evidence.go` (LightClientAttackEvidence).
 */
import { type Bytes, concat } from "@xinglin/primitives";
import { intField, messageField } from "../protobuf.ts";
import { encodeLightBlock, encodeTime, encodeValidator } from "./encode.ts";
import type { LightBlock, Time, Validator } from "./types.ts";

/** A block that contradicts the chain, and who of the validators at the common height is to blame for it. */
export interface AttackEvidence {
  readonly conflicting: LightBlock;
  /** Newest height on which both histories agree; of equivocation and amnesia, the height of the conflict. */
  readonly commonHeight: number;
  /** In the order of a validator set. */
  readonly byzantine: readonly Validator[];
  /** Total power of the validators at the common height. */
  readonly totalPower: number;
  /** Time of the block at the common height. */
  readonly time: Time;
}

/** Protobuf bytes of `tendermint.types.Evidence` that holds a `LightClientAttackEvidence`. */
export const encodeAttackEvidence = (evidence: AttackEvidence): Bytes =>
  messageField(
    2,
    concat(
      messageField(1, encodeLightBlock(evidence.conflicting)),
      intField(2, evidence.commonHeight),
      ...evidence.byzantine.map((validator) => messageField(3, encodeValidator(validator))),
      intField(4, evidence.totalPower),
      messageField(5, encodeTime(evidence.time)),
    ),
  );
