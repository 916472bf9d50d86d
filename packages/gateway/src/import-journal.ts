/**
 * What an import has begun, so that one that was cut off leaves nothing: a file an object, written before the first piece and removed when
 * the anchor is known. Source: docs/guides/share-a-study.md.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Store } from "@xinglin/archive";
import { keys, type MedicalRecord } from "@xinglin/contracts";
import { writeFileDurably } from "@xinglin/custody";
import { type Bytes, cbor, fromHex, type Infer, type RecordId, recordId, schema, toHex } from "@xinglin/primitives";

const begun = schema.object({
  object: schema.text(32, /^[0-9a-f]{32}$/),
  /** Of a record of its own. */
  record: schema.optional(recordId),
  version: schema.optional(schema.uint(65_535, 1)),
  /** Of a pack, once its batch is about to be anchored: the root, and the file of leaves. */
  batch: schema.optional(schema.text(64, /^[0-9a-f]{64}$/)),
  leaves: schema.optional(schema.text(4096)),
  process: schema.uint(),
});

export class ImportJournal {
  readonly #folder: string;

  /** `folder` is made when it is first needed. */
  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Writes down that an object for this record version is being made. */
  begin(objectId: Bytes, record: RecordId, version: number): void {
    this.#write({ object: toHex(objectId), record, version, process: process.pid });
  }

  /** Writes down that a pack of small records is being made. */
  beginPack(objectId: Bytes): void {
    this.#write({ object: toHex(objectId), process: process.pid });
  }

  /** Writes down, before it is sent to the chain, which batch will name a pack, and where its leaves are kept. */
  nameBatch(objectId: Bytes, root: Bytes, leaves: string): void {
    this.#write({ object: toHex(objectId), batch: toHex(root), leaves, process: process.pid });
  }

  /** The object is anchored, or its pieces are removed. */
  end(objectId: Bytes): void {
    rmSync(this.#path(toHex(objectId)), { force: true });
  }

  /**
   * Removes the pieces of imports whose process is gone and which `get` (a reader of the committed state) knows no anchor of. Call it when
   * nothing is waiting for a block any more, as after a start. Returns how many. What a store that is away may hold stays written down.
   */
  async collect(stores: readonly Store[], get: (key: string) => Bytes | undefined): Promise<number> {
    let removed = 0;
    for (const name of this.#names()) {
      const entry = begun.parse(JSON.parse(readFileSync(join(this.#folder, name), "utf8")));
      if (isRunning(entry.process)) continue;
      const objectId = fromHex(entry.object);
      if (!isAnchored(entry, get)) {
        const gone = await Promise.allSettled(stores.map((store) => store.remove(objectId)));
        removed++;
        if (entry.leaves !== undefined) rmSync(entry.leaves, { force: true });
        if (gone.some(({ status }) => status === "rejected")) continue; // a store that is away has it still
      }
      this.end(objectId);
    }
    return removed;
  }

  #write(content: Infer<typeof begun>): void {
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
    writeFileDurably(this.#path(content.object), Buffer.from(JSON.stringify(content)));
  }

  #names(): string[] {
    try {
      return readdirSync(this.#folder).filter((name) => /^[0-9a-f]{32}$/.test(name));
    } catch {
      return []; // nothing was ever imported
    }
  }

  #path(object: string): string {
    return join(this.#folder, object);
  }
}

function isAnchored(entry: Infer<typeof begun>, get: (key: string) => Bytes | undefined): boolean {
  const { object, record, version, batch } = entry;
  if (batch !== undefined) return get(keys.batch(batch)) !== undefined;
  if (record === undefined || version === undefined) return false; // a pack whose batch was never sent
  return isVersionAnchored({ object, record, version }, get);
}

/** Whether the chain names an object, by its id in hex, as this version of a record. */
export function isVersionAnchored(
  { object, record, version }: { readonly object: string; readonly record: RecordId; readonly version: number },
  get: (key: string) => Bytes | undefined,
): boolean {
  return [keys.record(record), keys.recordVersion(record, version)].some((key) => {
    const value = get(key);
    return value !== undefined && toHex((cbor.decodeTrusted(value) as MedicalRecord).object.id) === object;
  });
}

/** Whether an import's process may be at work still: another than this one that exists. */
export function isRunning(pid: number): boolean {
  if (pid === process.pid) return false; // our own number from before a restart
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
