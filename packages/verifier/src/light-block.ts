/**
 * Light blocks as bytes: what an API hands out and a custodian or a page checks.
 * Source: CometBFT v0.40 proto `tendermint.types.LightBlock`.
 */
import { cometbft } from "@xinglin/crypto/pure";

/** Header, commit and validators of one height. */
export type LightBlock = cometbft.LightBlock;

/** Protobuf bytes that CometBFT's own light client reads. */
export const encodeLightBlock = cometbft.encodeLightBlock;

/** The light block in these bytes. Throws `Fault("malformed")` on any other form; nothing is verified yet. */
export const decodeLightBlock = cometbft.decodeLightBlock;

/** A light block's bytes without its validators, for a reader that has them. */
export const withoutValidators = cometbft.withoutValidators;

/** The light block in bytes that may lack the validators, if `known` are those of its header. Throws `Fault("malformed")`. */
export const decodeWithKnownValidators = cometbft.decodeWithKnownValidators;

/** The hash of a header: what a checkpoint names. */
export const headerHash = cometbft.headerHash;

/** The hash of a set of validators, in its order: what headers name. */
export const validatorsHash = cometbft.validatorsHash;
