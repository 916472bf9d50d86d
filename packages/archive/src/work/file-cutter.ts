/** Cuts a stream of chunks into files: gathers what was made smaller, decodes it unit by unit, and checks each whole file's hash. */
import type { Hash } from "node:crypto";
import { equal, Fault, invariant } from "@xinglin/primitives";
import type { PlacedFile } from "../file-entry.ts";
import { MAX_UNIT_BYTES } from "../filter/predictor.ts";
import { KEPT, UnitCodec } from "../filter/unit-codec.ts";
import type { Profile } from "../profile/profile.ts";
import type { Extent } from "../selection.ts";
import type { FileSink } from "./read-object.ts";

/** Wall time in milliseconds. */
export interface CutterClock {
  filterMs: number;
  fileHashMs: number;
  writeMs: number;
}

/** Writes files to a sink. Memory: one unit and the codec's, and those only if something was made smaller. */
export class FileCutter {
  doneBytes = 0;
  doneFiles = 0;
  readonly #sink: FileSink;
  readonly #clock: CutterClock;
  #files: readonly PlacedFile[] = [];
  #extents: readonly (readonly Extent[])[] = [];
  #whole = true;
  #file = 0;
  #extent = 0;
  #begun = false;
  readonly #profile: Profile;
  #hash: Hash;
  #codec: UnitCodec | undefined;
  #gathered: Uint8Array | undefined;
  #gatheredBytes = 0;

  constructor(profile: Profile, sink: FileSink, clock: CutterClock) {
    this.#profile = profile;
    this.#hash = profile.startDigest();
    this.#sink = sink;
    this.#clock = clock;
  }

  /** Says what comes next: these files in turn, each in these extents. `whole`: all of each, so that hashes can be checked. */
  expect(files: readonly PlacedFile[], extents: readonly (readonly Extent[])[], whole: boolean): void {
    this.#files = files;
    this.#extents = extents;
    this.#whole = whole;
    this.#file = 0;
    this.#extent = 0;
  }

  /** Takes the chunk that begins at byte `at` of a stream; chunks come in the order of the extents, unwanted ones left out. */
  async take(stream: number, at: number, chunk: Uint8Array): Promise<void> {
    const chunkEnd = at + chunk.length;
    for (let extent = await this.#next(); extent !== undefined; extent = await this.#next()) {
      if (extent.stream !== stream || extent.from >= chunkEnd || extent.to <= at) return;
      const part = chunk.subarray(Math.max(extent.from, at) - at, Math.min(extent.to, chunkEnd) - at);
      if (extent.method === KEPT) await this.#write(part);
      else await this.#gather(extent, part, extent.to <= chunkEnd);
      if (extent.to > chunkEnd) return;
      this.#extent++;
    }
  }

  /** Ends the files expected: what is left has no bytes. */
  async finish(): Promise<void> {
    invariant((await this.#next()) === undefined, "every extent's chunks came");
  }

  /** The extent that is due. Begins files and ends them on the way, empty ones too. */
  async #next(): Promise<Extent | undefined> {
    for (; this.#file < this.#files.length; this.#file++, this.#extent = 0) {
      const { entry } = this.#files[this.#file]!;
      if (!this.#begun) await this.#sink.begin(entry);
      this.#begun = true;
      const extent = this.#extents[this.#file]![this.#extent];
      if (extent !== undefined) return extent;
      await this.#end(this.#files[this.#file]!);
    }
    return undefined;
  }

  async #gather(extent: Extent, part: Uint8Array, isLast: boolean): Promise<void> {
    let stored = part;
    if (!isLast || this.#gatheredBytes > 0) {
      this.#gathered ??= new Uint8Array(MAX_UNIT_BYTES);
      this.#gathered.set(part, this.#gatheredBytes);
      this.#gatheredBytes += part.length;
      if (!isLast) return;
      stored = this.#gathered.subarray(0, this.#gatheredBytes);
    }
    this.#gatheredBytes = 0;
    const start = performance.now();
    this.#codec ??= new UnitCodec();
    const decoded = this.#codec.decode(extent.method, stored, extent.decodedBytes, extent.samples);
    this.#clock.filterMs += performance.now() - start;
    if (decoded === undefined) throw new Fault("manifest_mismatch", { part: "segment", file: extent.file.number });
    await this.#write(decoded.subarray(extent.start, extent.end));
  }

  async #write(part: Uint8Array): Promise<void> {
    const start = performance.now();
    if (this.#whole) this.#hash.update(part);
    const between = performance.now();
    this.doneBytes += part.length;
    await this.#sink.write(part);
    this.#clock.fileHashMs += between - start;
    this.#clock.writeMs += performance.now() - between;
  }

  async #end({ entry, number }: PlacedFile): Promise<void> {
    if (this.#whole) {
      const right = equal(this.#hash.digest(), entry.digest);
      if (!right) throw new Fault("manifest_mismatch", { part: "file_hash", file: number });
      this.#hash = this.#profile.startDigest();
    }
    await this.#sink.end();
    this.#begun = false;
    this.doneFiles++;
  }
}
