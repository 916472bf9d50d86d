/**
 * Durable updates of the authenticated map, beside flat durable puts of the same keys and values into a second store of the same
 * engine, in turn. A figure counts keys, not blocks. The map keeps few versions, so that each measured block also deletes what an
 * older one made stale, as a node does in the long run.
 * Source: bench contract (interleaved rounds; limit by its best round, ours by the median).
 */
import { hash } from "node:crypto";
import { mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ics23 } from "@xinglin/crypto/pure";
import { invariant } from "@xinglin/primitives";
import { DATABASE_OPTIONS, openState, type State, type StateChange } from "@xinglin/state";
import { ClassicLevel } from "classic-level";
import { best, growthExponent, interleave, median, type Suite } from "./measure.ts";

const BLOCK_KEYS = 5_000;
/** Blocks of a round where sizes are compared. */
const BLOCKS_A_ROUND = 3;
/** Where the two stores are compared: long enough that every round of both pays for the engine's own compaction. */
const BLOCKS_A_LONG_ROUND = 9;
const ROUNDS = 5;
const VALUE_BYTES = 100;
/** Blocks that load the map are larger: they are not measured. */
const LOAD_KEYS = 25_000;
const KEPT_VERSIONS = 8;

type Level = ClassicLevel<Uint8Array, Uint8Array>;

const keyOf = (i: number): string => `record/${hash("sha256", `key ${i}`).slice(0, 32)}`;

/** The values that the map should hold, by the number of their last write; small, and the same in every run. */
class Workload {
  keys = 0;
  #random = 1;
  readonly #lastWrite = new Map<number, number>();
  #writes = 0;

  /** `count` changes of distinct keys, of which the share `fresh` is new. */
  block(count: number, fresh: number): StateChange[] {
    const chosen = new Set<number>();
    const added = Math.round(count * fresh);
    while (chosen.size < count - added) chosen.add(Math.floor(this.#next() * this.keys));
    for (let i = 0; i < added; i++) chosen.add(this.keys++);
    return [...chosen].map((i) => {
      this.#lastWrite.set(i, ++this.#writes);
      return { key: keyOf(i), value: this.#value(this.#writes) };
    });
  }

  /** Some key and what it holds. */
  sample(): { key: string; value: Uint8Array } {
    const i = Math.floor(this.#next() * this.keys);
    return { key: keyOf(i), value: this.#value(this.#lastWrite.get(i) as number) };
  }

  #value(write: number): Uint8Array {
    const value = Buffer.alloc(VALUE_BYTES, write & 0xff);
    value.writeUInt32BE(write);
    return value;
  }

  #next(): number {
    // Park and Miller's generator: the map's size matters, not the quality of its keys, which are hashes.
    this.#random = (this.#random * 48_271) % 0x7fffffff;
    return this.#random / 0x7fffffff;
  }
}

/** Both stores, fed the same changes. */
class Bed {
  readonly workload = new Workload();
  readonly state: State;
  readonly #flat: Level;
  #height = 0;

  constructor(state: State, flat: Level) {
    this.state = state;
    this.#flat = flat;
  }

  async commit(changes: readonly StateChange[]): Promise<void> {
    await this.state.commit(this.state.prepare(++this.#height, changes));
  }

  async putFlat(changes: readonly StateChange[], sync: boolean): Promise<void> {
    const rows = changes.map(({ key, value }) => ({ type: "put" as const, key: Buffer.from(key), value: value as Uint8Array }));
    await this.#flat.batch(rows, { sync });
  }

  async load(size: number): Promise<void> {
    while (this.workload.keys < size) {
      const changes = this.workload.block(Math.min(LOAD_KEYS, size - this.workload.keys), 1);
      await this.commit(changes);
      await this.putFlat(changes, false);
    }
  }

  /** Keys a second of both stores, round by round. */
  measure(fresh: number, blocksARound: number): Promise<{ state: number[]; flat: number[] }> {
    let blocks: StateChange[][] = [];
    const rate = async (work: (changes: StateChange[]) => Promise<void>): Promise<number> => {
      const start = performance.now();
      for (const changes of blocks) await work(changes);
      return (1_000 * blocksARound * BLOCK_KEYS) / (performance.now() - start);
    };
    const state = (): Promise<number> => {
      blocks = Array.from({ length: blocksARound }, () => this.workload.block(BLOCK_KEYS, fresh));
      return rate((changes) => this.commit(changes));
    };
    // Before the first measured block there is one like it to prune.
    const warmUp = Math.ceil((KEPT_VERSIONS + 1) / blocksARound);
    return interleave(ROUNDS, { state, flat: () => rate((changes) => this.putFlat(changes, true)) }, warmUp);
  }
}

/** Throws unless sampled values, their proofs and proofs of absence are right. */
function check(state: State, workload: Workload): void {
  for (let i = 0; i < 200; i++) {
    const { key, value } = workload.sample();
    const present = state.prove(key);
    invariant(Buffer.compare(present.value ?? new Uint8Array(0), value) === 0, "a value differs from what was written");
    invariant(
      ics23.verifyMembership(state.root, ics23.decodeProof(present.proof), Buffer.from(key), value),
      "a proof of presence is refused",
    );
    const absent = `absent/${i}`;
    const absence = ics23.decodeProof(state.prove(absent).proof);
    invariant(ics23.verifyNonMembership(state.root, absence, Buffer.from(absent)), "a proof of absence is refused");
  }
}

async function folderBytes(path: string): Promise<number> {
  const sizes = await Promise.all((await readdir(path)).map(async (name) => (await stat(join(path, name))).size));
  return sizes.reduce((sum, size) => sum + size, 0);
}

async function openLevel(path: string): Promise<Level> {
  const db: Level = new ClassicLevel(path, DATABASE_OPTIONS);
  await db.open();
  return db;
}

/** Measures `updates`, `updates-growth`, `memory-per-key` and `disk-per-key`. */
export const run: Suite = async ({ quick, emit }) => {
  const folder = await mkdtemp(join(tmpdir(), "xinglin-bench-state-"));
  try {
    const stateDb = await openLevel(join(folder, "state"));
    const flatDb = await openLevel(join(folder, "flat"));
    const options = { keepVersions: KEPT_VERSIONS };
    const bed = new Bed(await openState(stateDb, options), flatDb);
    const conditions = { blockKeys: BLOCK_KEYS, valueBytes: VALUE_BYTES, keptVersions: KEPT_VERSIONS };

    const growth: { size: number; cost: number }[] = [];
    const samples: number[] = [];
    for (const size of quick ? [1e4, 1e5, 1e6] : [1e4, 1e5, 1e6, 1e7]) {
      await bed.load(size);
      // Only keys that exist: the map keeps the size that the figure names.
      const overwritten = await bed.measure(0, BLOCKS_A_ROUND);
      growth.push({ size, cost: 1e6 / median(overwritten.state) });
      samples.push(...overwritten.state);
      if (size !== 1e6) continue;
      const mixed = await bed.measure(0.5, BLOCKS_A_LONG_ROUND);
      const value = median(mixed.state);
      const limit = best(mixed.flat);
      emit({
        measure: "updates",
        value,
        unit: "keys/s",
        limit: { name: "flat durable puts", value: limit },
        ratio: value / limit,
        conditions: { keys: size, ...conditions, newKeys: 0.5, flatMedian: Math.round(median(mixed.flat)) },
        samples: mixed.state,
      });
      const { pageBytes, windowBytes, keys } = bed.state.statistics();
      const processMb = Math.round(process.memoryUsage.rss() / 1e6);
      emit({
        measure: "memory-per-key",
        value: (pageBytes + windowBytes) / keys,
        unit: "B/key",
        conditions: { keys, processMb },
      });
      const flatBytes = await folderBytes(flatDb.location);
      emit({
        measure: "disk-per-key",
        value: (await folderBytes(stateDb.location)) / keys,
        unit: "B/key",
        limit: { name: "flat durable puts", value: flatBytes / keys },
        conditions: { keys, ...conditions },
      });
    }
    const costs = Object.fromEntries(growth.map(({ size, cost }) => [`us1e${Math.log10(size)}`, Number(cost.toFixed(2))]));
    emit({
      measure: "updates-growth",
      value: growthExponent(growth),
      unit: "exponent",
      conditions: { ...conditions, newKeys: 0, ...costs },
      samples,
    });

    check(bed.state, bed.workload);
    const root = bed.state.root;
    await stateDb.close();
    await stateDb.open();
    const reopened = await openState(stateDb, options);
    invariant(Buffer.compare(reopened.root, root) === 0, "the root differs after opening again");
    check(reopened, bed.workload);
    await stateDb.close();
    await flatDb.close();
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};
