/**
 * What a verifier needs of a genesis document: the chain's id, which pins the document's hash, and the first validators.
 * Source: design.md, "Ledger", "Validators".
 */
import { cometbft, ML_DSA_65_BYTES, sha256 } from "@xinglin/crypto/pure";
import { type Bytes, cbor, schema, toHex } from "@xinglin/primitives";

const MAX_GENESIS_BYTES = 4_194_304;
/** As many as can be pinned against a second document, within CometBFT's 50 characters. */
const CHAIN_ID_HASH_DIGITS = 24;

const name = schema.text(24, /^[a-z][a-z0-9-]*$/);
const first = schema.list(
  schema.object({
    publicKey: schema.bytes(32, ML_DSA_65_BYTES.publicKey),
    power: schema.uint(1_000_000_000, 1),
    member: schema.text(32),
  }),
  100,
  1,
);

/** Trust in a genesis document that the caller got from a place it trusts. */
export interface GenesisTrust {
  readonly chainId: string;
  readonly validators: readonly cometbft.Validator[];
  /** Of the document, in seconds UTC, if it has one: trust in it ages from then on. */
  readonly time?: number | undefined;
}

/** Reads chain id and validators from the canonical bytes of a genesis. Throws `Fault("malformed")`; the rest of the document is not looked at. */
export function genesisTrust(genesis: Bytes): GenesisTrust {
  const value = cbor.decode(genesis, MAX_GENESIS_BYTES) as Record<string, unknown>;
  const chainId = `${name.parse(value?.name, "/name")}-${toHex(sha256(genesis)).slice(0, CHAIN_ID_HASH_DIGITS)}`;
  const validators = first.parse(value.validators, "/validators").map(({ publicKey, power }) => ({ publicKey, power }));
  const time = value.time === undefined ? undefined : schema.uint().parse(value.time, "/time");
  return { chainId, validators: cometbft.sortValidators(validators), ...(time === undefined ? {} : { time }) };
}
