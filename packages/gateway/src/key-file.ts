/**
 * A signer's key in a file that only its owner can read: staff, devices, custodians, member administrations and validators of this installation.
 * Patients' keys live in phones and browsers; the story's patient has such a file because the story plays the phone as well.
 * Source: CONTRIBUTING "Secrets only in files with owner-only rights".
 */
import { closeSync, constants, fstatSync, mkdirSync, openSync, readFileSync, renameSync, statSync } from "node:fs";
import { dirname } from "node:path";
import type { Identity } from "@xinglin/client";
import { randomBytes } from "@xinglin/crypto";
import {
  newSecret,
  nodeEd25519Signer,
  nodeMlDsa65Key,
  SECRET_SUITES,
  type SecretSuite,
  signerOfSecret,
} from "@xinglin/crypto/node";
import { cometbft } from "@xinglin/crypto/pure";
import { writeFileDurably } from "@xinglin/custody";
import {
  type ActorId,
  actorId,
  type Bytes,
  type CredentialId,
  credentialId,
  Fault,
  fromBase64url,
  type Infer,
  type MemberId,
  memberId,
  schema,
  toBase64url,
} from "@xinglin/primitives";

const keyFile = schema.object({
  type: schema.oneOf("xinglin-key/1"),
  actor: actorId,
  member: memberId,
  /** Ed25519 if absent. */
  suite: schema.optional(schema.oneOf(...SECRET_SUITES)),
  /** The suite's secret (of Ed25519 its seed), base64url. */
  seed: schema.text(86, undefined, 43),
  /** Of a validator: what key consensus makes of the seed; Ed25519 if absent. */
  keyType: schema.optional(schema.oneOf(...cometbft.KEY_TYPES)),
  /** Seed of an X-Wing key pair, for members and custodians. */
  hpkeSeed: schema.optional(schema.text(43, undefined, 43)),
  /** The credential under which a member of staff acts. */
  credential: schema.optional(credentialId),
});
type KeyFile = Infer<typeof keyFile>;

const GROUP_OR_OTHERS = 0o077;

/** A key that was read: the identity that it signs as, and the seed of its X-Wing key where it has one. */
export interface KeyOfFile extends Identity {
  readonly hpkeSeed?: Bytes;
  readonly credential?: CredentialId;
}

/** Whose key it will be. */
export interface KeyOwner {
  readonly actor: ActorId;
  readonly member: MemberId;
  /** Ed25519 if absent. */
  readonly suite?: SecretSuite;
  /** Of a validator; Ed25519 if absent. */
  readonly keyType?: cometbft.KeyType;
  readonly withHpke?: boolean;
  /** The seed of an X-Wing key pair that it keeps. */
  readonly hpkeSeed?: Bytes;
  readonly credential?: CredentialId;
}

/**
 * Makes a key that the chain does not know yet. It lies beside `path` until `keep` puts it there: a refusal must not cost the key that lies at
 * `path`, nor a lost answer the new one.
 */
export function stageKeyFile(path: string, owner: KeyOwner): { readonly key: KeyOfFile; readonly keep: () => void } {
  const staged = `${path}.new`;
  const key = createKeyFile(staged, owner);
  return { key, keep: () => renameSync(staged, path) };
}

/** Makes a key for `actor` and writes it for the owner only, in place of what lies there. */
export function createKeyFile(path: string, owner: KeyOwner): KeyOfFile {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const { suite = "ed25519", hpkeSeed = owner.withHpke === true ? randomBytes(32) : undefined } = owner;
  const content: KeyFile = {
    type: "xinglin-key/1",
    actor: owner.actor,
    member: owner.member,
    ...(suite === "ed25519" ? {} : { suite }),
    seed: toBase64url(newSecret(suite)),
    ...(owner.keyType === undefined ? {} : { keyType: owner.keyType }),
    ...(hpkeSeed === undefined ? {} : { hpkeSeed: toBase64url(hpkeSeed) }),
    ...(owner.credential === undefined ? {} : { credential: owner.credential }),
  };
  writeFileDurably(path, Buffer.from(`${JSON.stringify(content, undefined, 2)}\n`));
  return keyOf(content);
}

/** Reads a key file. Refuses with `key_file_missing`, `key_file_open` (readable by others than its owner) or `key_file_unreadable`. */
export const readKeyFile = (path: string): KeyOfFile => readContent(path).key;

/** The Ed25519 seed in a key file, for an engine that signs in a process of its own. Refuses as `readKeyFile`. */
export const readKeySeed = (path: string): Bytes => fromBase64url(readContent(path).content.seed);

/** A validator's key that was read: what votes are signed with. */
export interface ValidatorKeyOfFile {
  readonly type: cometbft.KeyType;
  readonly seed: Bytes;
  readonly publicKey: Bytes;
  sign(message: Bytes): Bytes;
}

/** Reads the key file of a validator. Refuses as `readKeyFile`. */
export function readValidatorKey(path: string): ValidatorKeyOfFile {
  const { content } = readContent(path);
  const { keyType: type = "ed25519" } = content;
  const seed = fromBase64url(content.seed);
  if (type === "ml-dsa-65") {
    const key = nodeMlDsa65Key(seed);
    return { type, seed, publicKey: key.publicKey, sign: (message) => key.sign(message) };
  }
  const { publicKey, signSync } = nodeEd25519Signer(seed);
  return { type, seed, publicKey, sign: signSync };
}

/** Throws `key_file_missing`, or `key_file_open` for a secret of another kind that others than its owner can read. */
export function requireOwnerOnly(path: string): void {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined) throw new Fault("key_file_missing", { path });
  if (process.platform !== "win32" && (found.mode & GROUP_OR_OTHERS) !== 0) throw new Fault("key_file_open", { path });
}

function readContent(path: string): { readonly content: KeyFile; readonly key: KeyOfFile } {
  let file: number;
  try {
    file = openSync(path, constants.O_RDONLY);
  } catch (cause) {
    throw new Fault("key_file_missing", { path }, { cause });
  }
  try {
    if (process.platform !== "win32" && (fstatSync(file).mode & GROUP_OR_OTHERS) !== 0)
      throw new Fault("key_file_open", { path });
    const content = keyFile.parse(JSON.parse(readFileSync(file, "utf8")));
    return { content, key: keyOf(content) };
  } catch (cause) {
    if (cause instanceof Fault && cause.code === "key_file_open") throw cause;
    throw new Fault("key_file_unreadable", { path }); // without its cause, which could quote the key
  } finally {
    closeSync(file);
  }
}

const keyOf = (content: KeyFile): KeyOfFile => ({
  actor: content.actor,
  member: content.member,
  signer: signerOfSecret(content.suite ?? "ed25519", fromBase64url(content.seed)),
  ...(content.hpkeSeed === undefined ? {} : { hpkeSeed: fromBase64url(content.hpkeSeed) }),
  ...(content.credential === undefined ? {} : { credential: content.credential }),
});
