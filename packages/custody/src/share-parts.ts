/**
 * The shares of a deposit in bulk, in two files: sealed rows, each under a key of its own, and the keys. Overwriting a key in place, synced, erases
 * its share however many copies of the sealed rows backups hold, and the zeros stay as the mark that it was here.
 * Source: design.md, "Consent, access, custody" (custody, Ending); requirement J9.
 */
import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { closeSync, fsyncSync, mkdirSync, openSync, readdirSync, readSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { type Bytes, cbor, concat, Fault, fromHex, type MemberId, type RecordId, toHex, utf8 } from "@xinglin/primitives";
import { type CommittedShare, decodeRows, encodeRows } from "./bulk-contract.ts";
import { writeFileDurably } from "./durable-file.ts";

const MAGIC = "XLSHARE1";
/** Magic, number of shares, bytes of a row, index of the shares; the rest is zero. */
const HEADER_BYTES = 32;
const ID_BYTES = 16;
const KEY_BYTES = 32;
const TAG_BYTES = 16;
/** A row's key seals that row once, so the nonce may be constant. */
const NONCE = new Uint8Array(12);

/** A part in memory: the first four bytes of each record's id, sorted. 4 bytes a share, so that two million take 8 MB. */
interface Part {
  readonly name: string;
  readonly source: MemberId;
  readonly index: number;
  readonly rowBytes: number;
  readonly prefixes: Uint32Array;
}
interface Place {
  readonly part: Part;
  readonly row: number;
}

/** What became of a share. */
export type ShareState = "held" | "erased" | "missing";

export class ShareParts {
  readonly #folder: string;
  readonly #parts = new Map<MemberId, Part[]>();
  readonly #names = new Set<string>();

  /** Opens what `folder` holds; it is made when the first part comes. What a crash left of an unfinished part goes. */
  constructor(folder: string) {
    this.#folder = folder;
    const files = filesOf(folder);
    for (const file of files) {
      const name = file.replace(/\.shares$/, "");
      if (file.endsWith(".shares") && files.has(`${name}.keys`)) this.#add(this.#read(name));
      else if (!file.endsWith(".keys")) rmSync(join(folder, file), { force: true });
    }
  }

  /** Whether the deposit with this digest (hex) is here as a whole. */
  has(source: MemberId, digest: string): boolean {
    return this.#names.has(`${source}.${digest}`);
  }

  /** Keeps the shares of one deposit, durably, all or none. The caller has made sure that none of its records has one here. */
  put(source: MemberId, digest: string, shares: readonly CommittedShare[]): void {
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
    const sorted = shares.toSorted((a, b) => (a.record < b.record ? -1 : 1));
    const name = `${source}.${digest}`;
    const keys = randomBytes(sorted.length * KEY_BYTES);
    const rows = sorted.map((share, row) => {
      const plain = encodeRows([share]).subarray(ID_BYTES);
      const cipher = createCipheriv("aes-256-gcm", keys.subarray(row * KEY_BYTES, (row + 1) * KEY_BYTES), NONCE);
      cipher.setAAD(utf8(`${name}.${share.record}`));
      const sealed = concat(cipher.update(plain), cipher.final(), cipher.getAuthTag());
      plain.fill(0);
      return sealed;
    });
    const [first] = sorted;
    const header = Buffer.alloc(HEADER_BYTES);
    header.write(MAGIC, "latin1");
    header.writeUInt32BE(sorted.length, 8);
    header.writeUInt32BE((rows[0] as Bytes).length, 12);
    header.writeUInt32BE((first as CommittedShare).opening.index, 16);
    writeFileDurably(
      join(this.#folder, `${name}.shares`),
      concat(header, ...sorted.map(({ record }) => fromHex(record)), ...rows),
    );
    this.#sync();
    // Last: shares count as held once their keys stand.
    writeFileDurably(join(this.#folder, `${name}.keys`), keys);
    this.#sync();
    keys.fill(0);
    this.#add(this.#read(name));
  }

  /** Every share that is here and not erased. A key is read with all others of its part. */
  *held(): Generator<{ readonly source: MemberId; readonly record: RecordId }> {
    for (const part of [...this.#parts.values()].flat()) {
      const { name, source, prefixes } = part;
      const ids = readAt(join(this.#folder, `${name}.shares`), HEADER_BYTES, prefixes.length * ID_BYTES);
      const keys = readAt(join(this.#folder, `${name}.keys`), 0, prefixes.length * KEY_BYTES);
      const isHeld = (row: number): boolean => keys.subarray(row * KEY_BYTES, (row + 1) * KEY_BYTES).some((byte) => byte !== 0);
      const rows = Array.from(prefixes, (_, row) => row).filter(isHeld);
      keys.fill(0);
      for (const row of rows) yield { source, record: toHex(ids.subarray(row * ID_BYTES, (row + 1) * ID_BYTES)) as RecordId };
    }
  }

  state(source: MemberId, record: RecordId): ShareState {
    const place = this.#find(source, record);
    if (place === undefined) return "missing";
    const key = this.#key(place);
    const isErased = key.every((byte) => byte === 0);
    key.fill(0);
    return isErased ? "erased" : "held";
  }

  /** The share, as `ShareStore` keeps a single one: its commitments' root and its opening, encoded. Only for a share that is held. */
  get(source: MemberId, record: RecordId): Bytes {
    const place = this.#find(source, record) as Place;
    const { name, index, rowBytes, prefixes } = place.part;
    const at = HEADER_BYTES + prefixes.length * ID_BYTES + place.row * rowBytes;
    const sealed = readAt(join(this.#folder, `${name}.shares`), at, rowBytes);
    const key = this.#key(place);
    try {
      const decipher = createDecipheriv("aes-256-gcm", key, NONCE);
      decipher.setAAD(utf8(`${name}.${record}`));
      decipher.setAuthTag(sealed.subarray(rowBytes - TAG_BYTES));
      const plain = concat(fromHex(record), decipher.update(sealed.subarray(0, rowBytes - TAG_BYTES)), decipher.final());
      const [share] = decodeRows(plain, 1, index) as [CommittedShare];
      return cbor.encode({ commitments: share.commitments, opening: share.opening });
    } catch (cause) {
      throw new Fault("share_damaged", { record, version: 1 }, { cause });
    } finally {
      key.fill(0);
    }
  }

  /** Overwrites the share's key, for good. Only for a share that is in a part. */
  erase(source: MemberId, record: RecordId): void {
    const { part, row } = this.#find(source, record) as Place;
    const file = openSync(join(this.#folder, `${part.name}.keys`), "r+");
    try {
      writeSync(file, new Uint8Array(KEY_BYTES), 0, KEY_BYTES, row * KEY_BYTES);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
  }

  #add(part: Part): void {
    const own = this.#parts.get(part.source);
    if (own === undefined) this.#parts.set(part.source, [part]);
    else own.push(part);
    this.#names.add(part.name);
  }

  #read(name: string): Part {
    const path = join(this.#folder, `${name}.shares`);
    const header = readAt(path, 0, HEADER_BYTES);
    const count = header.readUInt32BE(8);
    if (header.toString("latin1", 0, 8) !== MAGIC) throw new Fault("share_damaged", { part: name });
    const ids = readAt(path, HEADER_BYTES, count * ID_BYTES);
    const prefixes = Uint32Array.from({ length: count }, (_, row) => ids.readUInt32BE(row * ID_BYTES));
    const source = name.slice(0, name.lastIndexOf(".")) as MemberId;
    return { name, source, index: header.readUInt32BE(16), rowBytes: header.readUInt32BE(12), prefixes };
  }

  #find(source: MemberId, record: RecordId): Place | undefined {
    const id = fromHex(record);
    const prefix = Buffer.from(id).readUInt32BE();
    for (const part of this.#parts.get(source) ?? [])
      for (let row = lowerBound(part.prefixes, prefix); part.prefixes[row] === prefix; row++) {
        const held = readAt(join(this.#folder, `${part.name}.shares`), HEADER_BYTES + row * ID_BYTES, ID_BYTES);
        if (held.equals(id)) return { part, row };
      }
    return undefined;
  }

  #key({ part, row }: Place): Buffer {
    return readAt(join(this.#folder, `${part.name}.keys`), row * KEY_BYTES, KEY_BYTES);
  }

  #sync(): void {
    const folder = openSync(this.#folder, "r");
    fsyncSync(folder);
    closeSync(folder);
  }
}

function filesOf(folder: string): Set<string> {
  try {
    return new Set(readdirSync(folder));
  } catch {
    return new Set(); // nothing was ever deposited in bulk
  }
}

function lowerBound(sorted: Uint32Array, wanted: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] as number) < wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}

function readAt(path: string, at: number, length: number): Buffer {
  const file = openSync(path, "r");
  try {
    const out = Buffer.alloc(length);
    if (readSync(file, out, 0, length, at) !== length) throw new Fault("share_damaged", { reason: "too_short" });
    return out;
  } finally {
    closeSync(file);
  }
}
