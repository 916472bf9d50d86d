/**
 * The two keys of a CometBFT node as its files hold them: the validator's, which signs votes, and the node's, by which peers know each other.
 * Source: CometBFT v0.40 `privval/file.go`, `p2p/key.go`; amino JSON names of `crypto/ed25519`.
 */
import { nodeEd25519Signer } from "@xinglin/crypto/node";
import { cometbft } from "@xinglin/crypto/pure";
import { type Bytes, concat, Fault, toHex } from "@xinglin/primitives";

const PRIVATE_KEY = "tendermint/PrivKeyEd25519";
const PUBLIC_KEY = "tendermint/PubKeyEd25519";
const SEED_BYTES = 32;

/** The public key of an Ed25519 seed. Throws `Fault("malformed")` for a seed that is none. */
export const publicKeyOf = (seed: Bytes): Bytes => nodeEd25519Signer(seed).publicKey;

/** What peers call the node with this seed: 40 hex digits. */
export const nodeIdOf = (seed: Bytes): string => toHex(cometbft.addressOf(publicKeyOf(seed)));

const base64 = (bytes: Bytes): string => Buffer.from(bytes).toString("base64");
const amino = (type: string, bytes: Bytes): { type: string; value: string } => ({ type, value: base64(bytes) });
const file = (content: unknown): string => `${JSON.stringify(content, undefined, 2)}\n`;

/** `node_key.json`. */
export const nodeKeyFile = (seed: Bytes): string => file({ priv_key: amino(PRIVATE_KEY, concat(seed, publicKeyOf(seed))) });

/** `priv_validator_key.json`. */
export function validatorKeyFile(seed: Bytes): string {
  const publicKey = publicKeyOf(seed);
  return file({
    address: toHex(cometbft.addressOf(publicKey)).toUpperCase(),
    pub_key: amino(PUBLIC_KEY, publicKey),
    priv_key: amino(PRIVATE_KEY, concat(seed, publicKey)),
  });
}

/** The seed in a key file of either kind. Throws `Fault("validator_key_unreadable")` with the file's name. */
export function seedIn(content: string, name: string): Bytes {
  try {
    const { priv_key: key } = JSON.parse(content) as { priv_key: { type: string; value: string } };
    const bytes = new Uint8Array(Buffer.from(key.value, "base64"));
    if (key.type === PRIVATE_KEY && bytes.length === 2 * SEED_BYTES) return bytes.slice(0, SEED_BYTES);
  } catch {
    // Told below; what could not be parsed may hold the key, so the parser's message is not passed on.
  }
  throw new Fault("validator_key_unreadable", { file: name });
}

/** `priv_validator_state.json` of a key that has signed nothing yet. */
export const UNSIGNED_STATE = file({ height: "0", round: 0, step: 0 });

/** A validator's public key in `genesis.json`. */
export const publicKeyJson = (publicKey: Bytes): { type: string; value: string } => amino(PUBLIC_KEY, publicKey);
