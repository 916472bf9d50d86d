/**
 * Light blocks without their validators, for whoever has that set already: most blocks have the validators of the one before, and a set is
 * a third of a light block's bytes.
 * Source: CometBFT v0.40 proto `tendermint.types.LightBlock`, whose second field may be absent; requirement A9 (1 MB a day).
 */
import { type Bytes, concat, equal, Fault } from "@xinglin/primitives";
import { messageField, Reader } from "../protobuf.ts";
import { decodeLightBlock } from "./decode.ts";
import { encodeValidatorSet } from "./encode.ts";
import type { LightBlock, Validator } from "./types.ts";
import { validatorsHash } from "./validators.ts";

/** The bytes of a light block with its second field, the validators, left out. Throws `Fault("malformed")`. */
export function withoutValidators(lightBlock: Bytes): Bytes {
  const signedHeader = new Reader(lightBlock).message(1);
  if (signedHeader === undefined) throw new Fault("malformed", { element: "signed_header" });
  return messageField(1, signedHeader);
}

/**
 * The light block in bytes that may lack the validators: then `known` are filled in, if they are those that the header names.
 * Throws `Fault("malformed")`, for validators that are neither there nor known as well.
 */
export function decodeWithKnownValidators(bytes: Bytes, known: readonly Validator[] | undefined): LightBlock {
  const reader = new Reader(bytes);
  reader.message(1);
  if (reader.message(2) !== undefined || known === undefined) return decodeLightBlock(bytes);
  const block = decodeLightBlock(concat(bytes, messageField(2, encodeValidatorSet(known))));
  if (!equal(block.header.validatorsHash, validatorsHash(known))) throw new Fault("malformed", { element: "validator_set" });
  return block;
}
