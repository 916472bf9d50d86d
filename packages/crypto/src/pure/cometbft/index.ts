export * from "./attack-evidence.ts";
export * from "./block.ts";
export * from "./compact.ts";
export * from "./decode.ts";
export {
  addressOf,
  encodeBlockId,
  encodeCommit,
  encodeCommitSig,
  encodeHeader,
  encodeLightBlock,
  encodePublicKey,
  encodeSignedHeader,
  encodeValidatorSet,
} from "./encode.ts";
export * from "./hash.ts";
export { KEY_TYPE, KEY_TYPES, type KeyType, keyTypeOf } from "./key-type.ts";
export * from "./types.ts";
export { checkValidators, MAX_VALIDATORS, sortValidators, totalPower, validatorsHash } from "./validators.ts";
export * from "./vote.ts";
