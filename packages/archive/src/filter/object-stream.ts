/**
 * An object's stream while it is imported: the files one after another, each unit filtered where that pays, then the nodes of the table
 * of files. Files that are kept as they are go straight from the disk to the caller's buffer.
 * Source: design.md, "Archive" (lossless filter where it pays).
 */
import type { Hash } from "node:crypto";
import { equal, Fault, invariant } from "@xinglin/primitives";
import type { PlacedFile } from "../file-entry.ts";
import { type FileTable, FileTableBuilder } from "../file-table.ts";
import { SegmentList, storedBytesOf } from "../segments.ts";
import type { PlannedFile, SourceReader } from "../source.ts";
import type { SampleLayout } from "./predictor.ts";
import { KEPT, UnitCodec } from "./unit-codec.ts";
import { type FilePlan, planFile, type Unit, unitsAround, unitsOf } from "./units.ts";

/** Wall time in milliseconds. */
export interface FilterClock {
  filterMs: number;
}

/** The file at work. */
interface Current {
  readonly file: PlannedFile;
  readonly plan: FilePlan;
  readonly units: Iterator<Unit>;
  readonly segments: SegmentList;
}

/** Produces the stream once. Faults: those of `SourceReader`. */
export class ObjectStream {
  /** Bytes given out so far. */
  streamBytes = 0;
  /** The files so far and where they stand, if they are asked for. */
  readonly files: PlacedFile[] = [];
  readonly #source: SourceReader;
  readonly #clock: FilterClock;
  readonly #table: FileTableBuilder;
  #finished: FileTable | undefined;
  #nodes: Uint8Array[] = [];
  #codec: UnitCodec | undefined;
  #current: Current | undefined;
  #keptBytes = 0;
  #elsewhere: Hash;
  #fileAt = 0;
  readonly #keepFiles: boolean;
  #pending: Uint8Array = new Uint8Array(0);

  constructor(source: SourceReader, clock: FilterClock, keepFiles = false) {
    this.#keepFiles = keepFiles;
    this.#source = source;
    this.#table = new FileTableBuilder(source.profile);
    this.#elsewhere = source.profile.startDigest();
    this.#clock = clock;
  }

  /** Fills `into` as far as the stream goes and returns how far that was. */
  read(into: Uint8Array): number {
    let filled = 0;
    while (filled < into.length) {
      const room = into.length - filled;
      if (this.#keptBytes > 0) {
        const part = into.subarray(filled, filled + Math.min(room, this.#keptBytes));
        this.#source.read(part);
        this.#keptBytes -= part.length;
        filled += part.length;
      } else if (this.#pending.length > 0) {
        const part = this.#pending.subarray(0, room);
        into.set(part, filled);
        this.#pending = this.#pending.subarray(part.length);
        filled += part.length;
      } else if (!this.#advance()) break;
    }
    this.streamBytes += filled;
    return filled;
  }

  /** The table of the files, when the stream was read to its end. */
  get table(): FileTable {
    invariant(this.#finished !== undefined && this.#nodes.length === 0, "the stream was read to its end");
    return this.#finished;
  }

  /** Makes the next bytes, or says that there are none. */
  #advance(): boolean {
    if (this.#finished === undefined) {
      this.#current ??= this.#begin();
      if (this.#current !== undefined) {
        const unit = this.#current.units.next();
        if (unit.done === true) this.#end(this.#current);
        else this.#filter(this.#current, unit.value);
        return true;
      }
      this.#finished = this.#table.finish();
      if ("bytes" in this.#finished) this.#nodes = [...this.#finished.bytes];
    }
    this.#pending = this.#nodes.shift() ?? new Uint8Array(0);
    return this.#pending.length > 0;
  }

  #begin(): Current | undefined {
    const { file } = this.#source;
    if (file === undefined) return undefined;
    const plan = this.#plan(file);
    return { file, plan, units: plan.units[Symbol.iterator](), segments: new SegmentList() };
  }

  #plan({ sizeBytes, only, shared }: PlannedFile): FilePlan {
    if (only !== undefined) return { samples: only.samples, units: unitsOf({ ...only.samples, at: 0 }, sizeBytes) };
    const plan = planFile(sizeBytes, (position, into) => this.#source.peek(position, into));
    if (shared === undefined) return plan;
    return { ...plan, units: unitsAround(shared.region, sizeBytes) };
  }

  #filter({ plan, segments }: Current, unit: Unit): void {
    if (unit.kind === "kept") {
      segments.add(KEPT, unit.length, unit.length);
      this.#keptBytes = unit.length;
      return;
    }
    this.#codec ??= new UnitCodec();
    this.#source.read(this.#codec.unit(unit.length));
    if (unit.kind === "elsewhere") {
      this.#elsewhere.update(this.#codec.unit(unit.length));
      return;
    }
    const start = performance.now();
    const { method, bytes } = this.#codec.encode(unit.length, unit.kind === "samples" ? plan.samples : undefined);
    this.#clock.filterMs += performance.now() - start;
    segments.add(method, bytes.length, unit.length);
    this.#pending = bytes;
  }

  #end({ file: { path, sizeBytes, mediaType, shared }, plan, segments }: Current): void {
    // The pixels that another object keeps were looked at before this import began: they must be the same still.
    if (shared !== undefined) {
      const digest = this.#elsewhere.digest();
      this.#elsewhere = this.#source.profile.startDigest();
      if (!equal(digest, shared.region.digest)) throw new Fault("source_changed", { file: this.files.length }, { retry: true });
    }
    const { numbers } = segments;
    const entry = {
      path,
      sizeBytes,
      mediaType,
      digest: this.#source.next(),
      ...plan.identity,
      ...(numbers === undefined ? {} : { segments: numbers }),
      ...(segments.hasSamples && plan.samples !== undefined ? { samples: bare(plan.samples) } : {}),
      ...(shared === undefined ? {} : { shared: shared.entry }),
    };
    this.#table.add(entry);
    if (this.#keepFiles) this.files.push({ entry, number: this.files.length, at: this.#fileAt });
    this.#fileAt += storedBytesOf(entry);
    this.#current = undefined;
  }
}

/** The layout without what else the finder of samples knows. */
const bare = ({ sampleBytes, row, step, signed }: SampleLayout): SampleLayout => ({ sampleBytes, row, step, signed });
