/**
 * The two keys of a CometBFT node as its files hold them: the validator's, which signs votes, and the node's, by which peers know each other.
 * Source: CometBFT v0.40 `privval/file.go`, `p2p/key.go`; amino JSON names of `crypto/ed25519` and `crypto/mldsa65`.
 */
import { mlDsa65KeyPair } from "@xinglin/crypto";
import { nodeEd25519Signer } from "@xinglin/crypto/node";
import { cometbft } from "@xinglin/crypto/pure";
import { type Bytes, concat, equal, Fault, toHex } from "@xinglin/primitives";

const NAMES: Readonly<Record<cometbft.KeyType, { readonly private: string; readonly public: string }>> = {
  ed25519: { private: "tendermint/PrivKeyEd25519", public: "tendermint/PubKeyEd25519" },
  "ml-dsa-65": { private: "cometbft/PrivKeyMlDsa65", public: "cometbft/PubKeyMlDsa65" },
};
const SEED_BYTES = 32;

/** A key of this type by its 32-byte seed, with the private key as CometBFT's files hold it. Throws `Fault("malformed")` for a seed that is none. */
function keyPairOf(seed: Bytes, type: cometbft.KeyType): { readonly publicKey: Bytes; readonly privateKey: Bytes } {
  if (seed.length !== SEED_BYTES) throw new Fault("malformed", { element: "seed", expected: "32 bytes" });
  if (type === "ml-dsa-65") {
    const { publicKey, packedPrivateKey } = mlDsa65KeyPair(seed);
    return { publicKey, privateKey: packedPrivateKey };
  }
  const { publicKey } = nodeEd25519Signer(seed);
  return { publicKey, privateKey: concat(seed, publicKey) };
}

/** The public key of a seed. Throws `Fault("malformed")` for a seed that is none. */
export const publicKeyOf = (seed: Bytes, type: cometbft.KeyType = "ed25519"): Bytes => keyPairOf(seed, type).publicKey;

/** What peers call the node with this seed: 40 hex digits. */
export const nodeIdOf = (seed: Bytes): string => toHex(cometbft.addressOf(publicKeyOf(seed)));

const base64 = (bytes: Bytes): string => Buffer.from(bytes).toString("base64");
const amino = (type: string, bytes: Bytes): { type: string; value: string } => ({ type, value: base64(bytes) });
const file = (content: unknown): string => `${JSON.stringify(content, undefined, 2)}\n`;

/** `node_key.json`. */
export const nodeKeyFile = (seed: Bytes): string =>
  file({ priv_key: amino(NAMES.ed25519.private, keyPairOf(seed, "ed25519").privateKey) });

/** `priv_validator_key.json`. */
export function validatorKeyFile(seed: Bytes, type: cometbft.KeyType = "ed25519"): string {
  const { publicKey, privateKey } = keyPairOf(seed, type);
  return file({
    address: toHex(cometbft.addressOf(publicKey)).toUpperCase(),
    pub_key: amino(NAMES[type].public, publicKey),
    priv_key: amino(NAMES[type].private, privateKey),
  });
}

/** The public key in a key file of either kind, by its private key. Throws `Fault("validator_key_unreadable")` with the file's name. */
export function publicKeyIn(content: string, name: string): Bytes {
  try {
    const { priv_key: key, pub_key: told } = JSON.parse(content) as { priv_key: AminoKey; pub_key?: AminoKey };
    const bytes = bytesOf(key);
    if (key.type === NAMES.ed25519.private && bytes.length === 2 * SEED_BYTES) return publicKeyOf(bytes.slice(0, SEED_BYTES));
    // Packed, a private key of ML-DSA no longer shows its seed, and CometBFT itself goes by it alone: what stands beside it is a note of ours.
    if (key.type === NAMES["ml-dsa-65"].private && told !== undefined && isMlDsa65Pair(bytes, bytesOf(told)))
      return bytesOf(told);
  } catch {
    // Told below; what could not be parsed may hold the key, so the parser's message is not passed on.
  }
  throw new Fault("validator_key_unreadable", { file: name });
}

interface AminoKey {
  readonly type: string;
  readonly value: string;
}
const bytesOf = ({ value }: AminoKey): Bytes => new Uint8Array(Buffer.from(value, "base64"));

const PACKED_BYTES = 4_032;
const RHO_BYTES = 32;
/** Whether a packed private key and a public key may belong together: both begin with the seed of the public matrix. */
const isMlDsa65Pair = (packed: Bytes, publicKey: Bytes): boolean =>
  packed.length === PACKED_BYTES &&
  publicKey.length === cometbft.KEY_TYPE["ml-dsa-65"].publicKey &&
  equal(packed.subarray(0, RHO_BYTES), publicKey.subarray(0, RHO_BYTES));

/** `priv_validator_state.json` of a key that has signed nothing yet. */
export const UNSIGNED_STATE = file({ height: "0", round: 0, step: 0 });

/** A validator's public key in `genesis.json`. */
export const publicKeyJson = (publicKey: Bytes): { type: string; value: string } =>
  amino(NAMES[cometbft.keyTypeOf(publicKey)].public, publicKey);
