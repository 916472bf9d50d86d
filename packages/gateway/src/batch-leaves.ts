/**
 * What a source keeps of its batches: the leaves with their salts, one owner-only file a batch. Without its leaf a small record can't be asked for, so
 * these files belong into the member's backups. A leaf is 160 bytes on disk; what leaves have in common stands once.
 * Source: design.md, "Transactions" (record batch); requirements D1, J9.
 */
import { closeSync, fstatSync, fsyncSync, mkdirSync, openSync, readdirSync, readSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import {
  type BatchLeaf,
  batchLeaf,
  type CustodyReference,
  encodeBatchLeaf,
  FORMATS,
  type PackReference,
  type RecordClass,
  type RequestTarget,
} from "@xinglin/contracts";
import { nodeSha256 } from "@xinglin/crypto/node";
import { merkle } from "@xinglin/crypto/pure";
import { writeFileDurably } from "@xinglin/custody";
import { type Bytes, cbor, Fault, fromHex, type RecordId, toHex, utf8 } from "@xinglin/primitives";

const MAGIC = "XLLEAVES";
/** Magic, number of leaves, length of what they have in common. */
const HEAD_BYTES = 16;
const MAX_COMMON_BYTES = 1 << 24;
/** Where each part of a row begins. */
const ROW = {
  record: 0,
  salt: 16,
  commitments: 48,
  hash: 80,
  patient: 112,
  class: 146,
  format: 147,
  pack: 148,
  custody: 150,
  at: 152,
  length: 160,
  end: 164,
};
const SUFFIX = ".leaves";

/** A leaf that lies in a pack. */
export type PackedLeaf = BatchLeaf & { readonly object: PackReference & { readonly slice: { at: number; length: number } } };
/** A ticket: what whoever may read a record of a batch asks for it with. */
export type BatchTicket = Extract<RequestTarget, { readonly kind: "batch" }>;

interface Common {
  readonly packs: readonly PackReference[];
  readonly custodies: readonly Omit<CustodyReference, "commitments">[];
  readonly classes: readonly RecordClass[];
}

/** Leaves that are about to be anchored, in the order of their records' ids, which says nothing about when or whose they are. */
export class NewLeaves {
  readonly root: Bytes;
  readonly count: number;
  readonly #rows: readonly { readonly leaf: PackedLeaf; readonly hash: Bytes }[];

  constructor(leaves: readonly PackedLeaf[]) {
    const sorted = leaves.toSorted((a, b) => (a.record < b.record ? -1 : 1));
    this.#rows = sorted.map((leaf) => ({ leaf, hash: merkle.leafHash(encodeBatchLeaf(leaf), nodeSha256) }));
    this.root = merkle.rootOfHashes(
      this.#rows.map(({ hash }) => hash),
      nodeSha256,
    );
    this.count = leaves.length;
  }

  /** The file's bytes. */
  encode(): Bytes {
    const packs = new Table<PackReference>();
    const custodies = new Table<Common["custodies"][number]>();
    const classes = new Table<RecordClass>();
    const rows = Buffer.alloc(this.count * ROW.end);
    this.#rows.forEach(({ leaf, hash }, i) => {
      const row = rows.subarray(i * ROW.end, (i + 1) * ROW.end);
      const { slice, ...pack } = leaf.object;
      const { commitments, ...custody } = leaf.custody;
      row.set(fromHex(leaf.record), ROW.record);
      row.set(leaf.salt, ROW.salt);
      row.set(commitments, ROW.commitments);
      row.set(hash, ROW.hash);
      row.set(utf8(leaf.patient), ROW.patient);
      row.writeUInt8(classes.indexOf(leaf.class), ROW.class);
      row.writeUInt8(FORMATS.indexOf(leaf.format), ROW.format);
      row.writeUInt16BE(packs.indexOf(pack), ROW.pack);
      row.writeUInt16BE(custodies.indexOf(custody), ROW.custody);
      row.writeBigUInt64BE(BigInt(slice.at), ROW.at);
      row.writeUInt32BE(slice.length, ROW.length);
    });
    const common = cbor.encode({ packs: packs.values, custodies: custodies.values, classes: classes.values } satisfies Common);
    const head = Buffer.alloc(HEAD_BYTES);
    head.write(MAGIC, "latin1");
    head.writeUInt32BE(this.count, 8);
    head.writeUInt32BE(common.length, 12);
    return Buffer.concat([head, common, rows]);
  }
}

/** Values, each once, by what they encode to. */
class Table<T extends object> {
  readonly values: T[] = [];
  readonly #index = new Map<string, number>();
  readonly #last = new WeakMap<T, number>();

  indexOf(value: T): number {
    const known = this.#last.get(value);
    if (known !== undefined) return known;
    const key = toHex(cbor.encode(value));
    let index = this.#index.get(key);
    if (index === undefined) {
      index = this.values.push(value) - 1;
      this.#index.set(key, index);
    }
    this.#last.set(value, index);
    return index;
  }
}

/** The leaves that a member keeps in a folder. */
export class BatchLeaves {
  readonly #folder: string;

  /** `folder` is made when it is first needed. */
  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Where the leaves of the batch with this root lie. */
  pathOf(root: Bytes): string {
    return join(this.#folder, `${toHex(root)}${SUFFIX}`);
  }

  /** Writes the leaves of a batch for their owner only. */
  keep(leaves: NewLeaves): void {
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
    writeFileDurably(this.pathOf(leaves.root), leaves.encode());
  }

  /** The batch was not anchored. */
  discard(root: Bytes): void {
    rmSync(this.pathOf(root), { force: true });
  }

  /** The ticket of a record. Cost: a hash for every leaf of its batch. Faults: `leaf_unknown`, `leaf_erased`, `leaves_damaged`. */
  ticketOf(record: RecordId): BatchTicket {
    return this.#in(record, "r", (file, index) => {
      const leaf = file.leaf(index);
      const tree = merkle.treeOfHashes(file.hashes(), nodeSha256);
      return { kind: "batch", root: tree.root, leaf, index, path: tree.path(index) };
    });
  }

  /** A record's leaf and the root of its batch. Faults: `leaf_unknown`, `leaf_erased`, `leaves_damaged`. */
  find(record: RecordId): { readonly root: Bytes; readonly leaf: BatchLeaf } {
    return this.#in(record, "r", (file, index, root) => ({ root, leaf: file.leaf(index) }));
  }

  /** Forgets the salt of a record that has ended, so that nobody can tell any more what its leaf said. */
  erase(record: RecordId): void {
    this.#in(record, "r+", (file, index) => file.eraseSalt(index));
  }

  #in<T>(record: RecordId, flags: "r" | "r+", work: (file: LeavesFile, index: number, root: Bytes) => T): T {
    for (const name of this.#names()) {
      const file = new LeavesFile(join(this.#folder, name), flags);
      try {
        const index = file.indexOf(record);
        if (index !== undefined) return work(file, index, fromHex(name.slice(0, -SUFFIX.length)));
      } finally {
        file.close();
      }
    }
    throw new Fault("leaf_unknown", { record });
  }

  #names(): string[] {
    try {
      return readdirSync(this.#folder).filter((name) => name.endsWith(SUFFIX));
    } catch {
      return []; // no batch was ever imported
    }
  }
}

/** One file of leaves, open. */
class LeavesFile {
  readonly #file: number;
  readonly #count: number;
  readonly #commonBytes: number;

  constructor(path: string, flags: "r" | "r+") {
    this.#file = openSync(path, flags);
    const head = this.#read(0, HEAD_BYTES);
    this.#count = head.readUInt32BE(8);
    this.#commonBytes = head.readUInt32BE(12);
    const size = HEAD_BYTES + this.#commonBytes + this.#count * ROW.end;
    if (head.toString("latin1", 0, 8) !== MAGIC || fstatSync(this.#file).size !== size) {
      closeSync(this.#file);
      throw new Fault("leaves_damaged", { path });
    }
  }

  close(): void {
    closeSync(this.#file);
  }

  indexOf(record: RecordId): number | undefined {
    const wanted = Buffer.from(fromHex(record));
    let low = 0;
    for (let high = this.#count; low < high; ) {
      const middle = (low + high) >>> 1;
      if (this.#row(middle, ROW.record, ROW.salt).compare(wanted) < 0) low = middle + 1;
      else high = middle;
    }
    return low < this.#count && this.#row(low, ROW.record, ROW.salt).equals(wanted) ? low : undefined;
  }

  leaf(index: number): BatchLeaf {
    const row = this.#row(index, 0, ROW.end);
    const salt = row.subarray(ROW.salt, ROW.commitments);
    const record = toHex(row.subarray(0, ROW.salt));
    if (salt.every((byte) => byte === 0)) throw new Fault("leaf_erased", { record });
    const common = cbor.decode(this.#read(HEAD_BYTES, this.#commonBytes), MAX_COMMON_BYTES) as Common;
    const slice = { at: Number(row.readBigUInt64BE(ROW.at)), length: row.readUInt32BE(ROW.length) };
    return batchLeaf.parse({
      salt: Uint8Array.from(salt),
      record,
      patient: row.toString("latin1", ROW.patient, ROW.class).replaceAll("\0", ""),
      class: common.classes[row.readUInt8(ROW.class)],
      format: FORMATS[row.readUInt8(ROW.format)],
      object: { ...common.packs[row.readUInt16BE(ROW.pack)], slice },
      custody: {
        ...common.custodies[row.readUInt16BE(ROW.custody)],
        commitments: Uint8Array.from(row.subarray(ROW.commitments, ROW.hash)),
      },
    });
  }

  hashes(): Bytes[] {
    const rows = this.#read(HEAD_BYTES + this.#commonBytes, this.#count * ROW.end);
    return Array.from({ length: this.#count }, (_, i) =>
      Uint8Array.from(rows.subarray(i * ROW.end + ROW.hash, i * ROW.end + ROW.patient)),
    );
  }

  eraseSalt(index: number): void {
    const at = HEAD_BYTES + this.#commonBytes + index * ROW.end + ROW.salt;
    writeSync(this.#file, new Uint8Array(ROW.commitments - ROW.salt), 0, ROW.commitments - ROW.salt, at);
    fsyncSync(this.#file);
  }

  #row(index: number, from: number, to: number): Buffer {
    return this.#read(HEAD_BYTES + this.#commonBytes + index * ROW.end + from, to - from);
  }

  #read(at: number, length: number): Buffer {
    const out = Buffer.alloc(length);
    return out.subarray(0, readSync(this.#file, out, 0, length, at));
  }
}
