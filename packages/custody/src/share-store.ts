/**
 * Key shares on a custodian's disk. Each share is sealed under a random key in a file of its own, so that deleting the key file erases
 * the share however many copies of the sealed file backups hold. Files are for the owner only and are written whole or not at all.
 * Source: design.md, "Consent, access, custody" (custody, Ending).
 */
import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { closeSync, fsyncSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync, statSync, writeSync } from "node:fs";
import { join } from "node:path";
import { type Bytes, Fault, type MemberId, type RecordId } from "@xinglin/primitives";
import { BULK_EPOCH, BULK_VERSION, type CommittedShare } from "./bulk-contract.ts";
import { writeFileDurably } from "./durable-file.ts";
import { ShareParts, type ShareState } from "./share-parts.ts";

const NONCE_BYTES = 12;
const TAG_BYTES = 16;
/** A share counts as held while its key stands. */
const KEY_FILE = /^([a-z][a-z0-9-]*)\.([0-9a-f]{32})-([0-9]+)-([0-9]+)\.key$/;

/**
 * Which share: one custodian holds at most one of a source, record version and epoch. The source is in the name because anybody can put
 * another's record id and commitments into a record or a leaf of its own: that must neither open, nor erase, nor displace this share.
 */
export interface ShareName {
  /** The member whose actor deposited it. */
  readonly source: MemberId;
  readonly record: RecordId;
  readonly version: number;
  readonly epoch: number;
}

export class ShareStore {
  readonly #directory: string;
  /** What came in bulk. */
  readonly #parts: ShareParts;

  constructor(directory: string) {
    this.#directory = directory;
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    this.#parts = new ShareParts(join(directory, "parts"));
  }

  /** Stores `content`. A second deposit under the name must be the same: otherwise `share_exists`. */
  put(name: ShareName, content: Bytes): void {
    const held = this.#state(name);
    if (held === "erased") throw new Fault("share_erased", { record: name.record, version: name.version });
    if (held === "held") {
      if (!Buffer.from(this.get(name)).equals(content))
        throw new Fault("share_exists", { record: name.record, version: name.version });
      return;
    }
    const key = randomBytes(32);
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv("aes-256-gcm", key, nonce);
    const sealed = Buffer.concat([nonce, cipher.update(content), cipher.final(), cipher.getAuthTag()]);
    this.#write(this.#path(name, "share"), sealed);
    this.#write(this.#path(name, "key"), key); // last: a share counts as held once its key stands
  }

  /**
   * Stores the shares of one deposit in bulk, all or none, in two files. The same deposit again (`digest`, in hex) changes nothing; a record that has a
   * share here from another one refuses it with `share_exists` or `share_erased`.
   */
  putMany(source: MemberId, digest: string, shares: readonly CommittedShare[]): void {
    if (this.#parts.has(source, digest)) return;
    const records = new Set<RecordId>();
    for (const { record } of shares) {
      const state = this.#state({ source, record, version: BULK_VERSION, epoch: BULK_EPOCH });
      if (state !== "missing" || records.has(record))
        throw new Fault(state === "erased" ? "share_erased" : "share_exists", { record, version: BULK_VERSION });
      records.add(record);
    }
    this.#parts.put(source, digest, shares);
  }

  /** The stored content. Refuses with `share_missing` or `share_erased`. */
  get(name: ShareName): Bytes {
    const held = this.#state(name);
    if (held !== "held")
      throw new Fault(held === "erased" ? "share_erased" : "share_missing", { record: name.record, version: name.version });
    if (this.#isInPart(name)) return this.#parts.get(name.source, name.record);
    const key = readFileSync(this.#path(name, "key"));
    const sealed = readFileSync(this.#path(name, "share"));
    try {
      const decipher = createDecipheriv("aes-256-gcm", key, sealed.subarray(0, NONCE_BYTES));
      decipher.setAuthTag(sealed.subarray(sealed.length - TAG_BYTES));
      return Buffer.concat([decipher.update(sealed.subarray(NONCE_BYTES, sealed.length - TAG_BYTES)), decipher.final()]);
    } catch (cause) {
      throw new Fault("share_damaged", { record: name.record, version: name.version }, { cause });
    }
  }

  /** Erases the share for good: the key is overwritten and removed, and a mark says that it was here. Erasing twice is no error. */
  erase(name: ShareName): void {
    if (this.#isInPart(name)) {
      this.#parts.erase(name.source, name.record);
      return;
    }
    // Not by the mark alone: a crash may have left the key beside it.
    if (this.#state(name) === "erased" && !exists(this.#path(name, "key"))) return;
    this.#write(this.#path(name, "erased"), Buffer.alloc(0));
    const key = this.#path(name, "key");
    try {
      const file = openSync(key, "r+");
      writeSync(file, Buffer.alloc(statSync(key).size), 0);
      fsyncSync(file);
      closeSync(file);
    } catch {
      // Never deposited here: the mark alone keeps a late deposit out.
    }
    rmSync(key, { force: true });
    rmSync(this.#path(name, "share"), { force: true });
  }

  /** Every share that is here and not erased, those that came in bulk last. One at a time: there may be millions. */
  *list(): Generator<ShareName> {
    for (const file of readdirSync(this.#directory)) {
      const parts = KEY_FILE.exec(file);
      if (parts === null || exists(join(this.#directory, file.replace(/key$/, "erased")))) continue;
      const [, source, record, version, epoch] = parts;
      yield { source: source as MemberId, record: record as RecordId, version: Number(version), epoch: Number(epoch) };
    }
    for (const { source, record } of this.#parts.held()) yield { source, record, version: BULK_VERSION, epoch: BULK_EPOCH };
  }

  /** Whether the share is here and not erased. */
  holds(name: ShareName): boolean {
    return this.#state(name) === "held";
  }

  #isInPart({ source, record, version, epoch }: ShareName): boolean {
    return version === BULK_VERSION && epoch === BULK_EPOCH && this.#parts.state(source, record) !== "missing";
  }

  #state(name: ShareName): ShareState {
    if (this.#isInPart(name)) return this.#parts.state(name.source, name.record);
    if (exists(this.#path(name, "erased"))) return "erased";
    return exists(this.#path(name, "key")) ? "held" : "missing";
  }

  #path(name: ShareName, kind: "share" | "key" | "erased"): string {
    return join(this.#directory, `${name.source}.${name.record}-${name.version}-${name.epoch}.${kind}`);
  }

  #write(path: string, content: Uint8Array): void {
    writeFileDurably(path, content);
    const directory = openSync(this.#directory, "r");
    fsyncSync(directory);
    closeSync(directory);
  }
}

const exists = (path: string): boolean => statSync(path, { throwIfNoEntry: false }) !== undefined;
