/** The streams that an object's files lie in: its own, and those of the objects that it shares pixels with, opened when first read. */
import { Fault } from "@xinglin/primitives";
import type { Manifest } from "../manifest.ts";
import { type ObjectOrder, type OpenObject, openObject } from "./open-object.ts";
import { type StreamClock, StreamReader } from "./stream-reader.ts";
import type { TaskContext } from "./tasks.ts";
import type { StoreTrouble } from "./trouble.ts";

/** An object and the reader of its stream. */
export interface OpenStream {
  readonly object: OpenObject;
  readonly reader: StreamReader;
}

/** Streams by number. Close them after use; the object's own is the caller's to close. */
export class Streams {
  readonly #open: (index: number) => Promise<OpenStream>;
  readonly #known = new Map<number, OpenStream>();

  constructor(object: OpenObject, reader: StreamReader, open: (index: number) => Promise<OpenStream>) {
    this.#known.set(0, { object, reader });
    this.#open = open;
  }

  async of(index: number): Promise<StreamReader> {
    const known = this.#known.get(index) ?? (await this.#open(index));
    this.#known.set(index, known);
    return known.reader;
  }

  get rebuilt(): number {
    return [...this.#known.values()].reduce((sum, { reader }) => sum + reader.rebuilt, 0);
  }

  /** Each store's trouble of each kind once. */
  get troubles(): readonly StoreTrouble[] {
    const all = [...this.#known.values()].flatMap(({ object }) => object.troubles.list);
    return [...new Map(all.map((trouble) => [`${trouble.store} ${trouble.kind}`, trouble])).values()];
  }

  async close(): Promise<void> {
    for (const [index, { object }] of this.#known) if (index > 0) await object.close();
  }
}

/** Opens the object that stream `index` of a manifest is of. Faults: `manifest_mismatch` (it names none), those of `openObject`. */
export async function openShared(
  order: ObjectOrder,
  manifest: Manifest,
  index: number,
  clock: StreamClock,
  context: TaskContext,
): Promise<OpenStream> {
  const shared = manifest.shared?.[index - 1];
  if (shared === undefined) throw new Fault("manifest_mismatch", { part: "shared" });
  const { reference, objectId, key } = shared;
  const object = await openObject({ ...order, reference, objectId }, { hurry: true });
  return { object, reader: new StreamReader(object, key, clock, context) };
}
