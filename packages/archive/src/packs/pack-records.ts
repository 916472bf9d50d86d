/**
 * Many small records as a few archive objects: two million results are some dozens of packs and not two million times fourteen files.
 * Source: design.md, "Archive" (small records share packs); requirements D1, J9.
 */
import { randomBytes } from "node:crypto";
import { Fault } from "@xinglin/primitives";
import { type Ingested, type IngestOptions, ingest } from "../ingest.ts";
import { type Profile, profileNamed } from "../profile/profile.ts";
import { CONTENT_KEY_BYTES, OBJECT_ID_BYTES } from "../reference.ts";
import { MAX_SMALL_BYTES, type PackSlice, packKeyOf, sealedBytesOf, sealRecord } from "./record-seal.ts";

/** Name of the one file in a pack. */
export const PACK_FILE = "records";
const PACK_TYPE = "application/vnd.xinglin.pack";
/** Sealed bytes of one pack at most; held in memory while it fills, and once more while it is archived. */
const MAX_PACK_BYTES = 32 * 1024 * 1024;

/** A record in a pack: where it lies, and the key to split among custodians and forget. */
export interface PackedRecord {
  readonly slice: PackSlice;
  readonly key: Uint8Array;
}

/** A pack on its stores. `records` are in the order in which they came. */
export interface Pack extends Omit<Ingested, "key" | "salt"> {
  readonly records: readonly PackedRecord[];
}

/** Where packs go, and who hears of them. */
export interface PackOptions extends Omit<IngestOptions, "contentKey" | "objectId"> {
  /** Told before anything of a pack is written, for a caller that writes down what it begins. */
  readonly onBegin?: (objectId: Uint8Array) => void;
}

/**
 * Archives records in packs, in order: each yielded pack is on all its stores. Stopping, or a fault, leaves the packs that were yielded. Faults: `record_too_large`
 * (by its place; it is an object of its own), `source_empty` for a record without a byte, those of `ingest`.
 */
export async function* packRecords(
  records: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  options: PackOptions,
): AsyncGenerator<Pack> {
  const profile = profileNamed(options.profile);
  let filling = new Filling(profile);
  let count = 0;
  for await (const content of records) {
    if (content.length > MAX_SMALL_BYTES) throw new Fault("record_too_large", { record: count, maxBytes: MAX_SMALL_BYTES });
    if (content.length === 0) throw new Fault("source_empty");
    if (!filling.fits(content)) {
      yield await filling.archive(options);
      filling = new Filling(profile);
    }
    filling.add(content);
    count++;
  }
  if (count === 0) throw new Fault("source_empty");
  yield await filling.archive(options);
}

/** A pack that fills up in memory. */
class Filling {
  readonly #id = new Uint8Array(randomBytes(OBJECT_ID_BYTES));
  readonly #stream = new Uint8Array(MAX_PACK_BYTES);
  readonly #records: PackedRecord[] = [];
  readonly #profile: Profile;
  #bytes = 0;

  constructor(profile: Profile) {
    this.#profile = profile;
  }

  fits(content: Uint8Array): boolean {
    return this.#bytes + sealedBytesOf(content.length) <= MAX_PACK_BYTES;
  }

  add(content: Uint8Array): void {
    const key = new Uint8Array(randomBytes(CONTENT_KEY_BYTES));
    const sealed = sealRecord(this.#profile, content, key, this.#id, this.#bytes);
    this.#stream.set(sealed, this.#bytes);
    this.#records.push({ slice: { at: this.#bytes, length: sealed.length }, key });
    this.#bytes += sealed.length;
  }

  async archive({ onBegin, ...options }: PackOptions): Promise<Pack> {
    onBegin?.(this.#id);
    const source = [{ path: PACK_FILE, mediaType: PACK_TYPE, content: this.#stream.slice(0, this.#bytes) }];
    const {
      key: _,
      salt: __,
      ...pack
    } = await ingest(source, { ...options, objectId: this.#id, contentKey: packKeyOf(this.#profile, this.#id) });
    return { ...pack, records: this.#records };
  }
}
