/**
 * No transaction is included twice: the ids of every block stand in the state until none of them can be valid any more.
 *
 * State: `replay/{height}` holds the ids of one block in order (one key a block, so that a block of thousands costs one leaf), the time
 * and the height at which the last of them ends, and the height of the entry before it; `replay` names the oldest and the newest. Pruning
 * is part of the block, at most `PRUNED_A_BLOCK` entries, so every node drops the same ones. The table in memory is rebuilt from these
 * keys when a node starts. Source: design.md, "Transactions" (replay set).
 */
import { type Change, keys, type StateReader } from "@xinglin/contracts";
import { type Bytes, cbor, type Infer, invariant, schema } from "@xinglin/primitives";
import { IdTable, type Place } from "./id-table.ts";

/** More than the one that a block adds, so that a backlog shrinks. */
const PRUNED_A_BLOCK = 4;
const ID_BYTES = 32;
const MAX_IDS = 1 << 20;

const replayEntry = schema.object({
  ids: schema.bytes(ID_BYTES, ID_BYTES * MAX_IDS),
  /** The latest end of validity among them; once time or height is past its own, all are over. */
  until: schema.object({ time: schema.uint(), height: schema.uint() }),
  /** Height of the next older entry, 0 if there was none. */
  previous: schema.uint(),
});
type ReplayEntry = Infer<typeof replayEntry>;
const replayHead = schema.object({ oldest: schema.uint(), newest: schema.uint() });

/** One included transaction, as the window needs it. */
export interface Included {
  readonly id: Bytes;
  readonly notAfter: { readonly time: number; readonly height: number };
}

/** What a block does to the window: the changes of state, and what `adopt` has to do once they are committed. */
export interface WindowStep {
  readonly changes: readonly Change[];
  readonly added: { readonly height: number; readonly ids: readonly Bytes[]; readonly until: ReplayEntry["until"] } | undefined;
  /** The ids of each pruned entry. */
  readonly pruned: readonly Bytes[];
}

interface Kept {
  readonly height: number;
  readonly until: ReplayEntry["until"];
}

export class ReplayWindow {
  readonly #table = new IdTable();
  /** Oldest first. */
  #kept: Kept[] = [];

  /** Rebuilds the window from committed state: from the newest entry back to the oldest. */
  static load(state: StateReader): ReplayWindow {
    const window = new ReplayWindow();
    const headBytes = state.get(keys.replayWindow);
    if (headBytes === undefined) return window;
    const head = replayHead.parse(cbor.decodeTrusted(headBytes));
    for (let height = head.newest; height >= head.oldest && height > 0; ) {
      const entry = readEntry(state, height);
      window.#kept.push({ height, until: entry.until });
      for (const [i, id] of idsOf(entry.ids).entries()) window.#table.add(id, height, i);
      height = entry.previous;
    }
    window.#kept.reverse();
    return window;
  }

  /** Ids in the window. */
  get size(): number {
    return this.#table.size;
  }

  /** Height of the oldest block with transactions that could still be valid at this time and height; undefined if there is none. */
  oldestValid(block: { readonly height: number; readonly time: number }): number | undefined {
    return this.#kept.find(({ until }) => block.time <= until.time && block.height <= until.height)?.height;
  }

  has(id: Bytes): boolean {
    return this.#table.has(id);
  }

  find(id: Bytes): Place | undefined {
    return this.#table.find(id);
  }

  /**
   * The window after a block that included these transactions, where `state` is the committed one; nothing is remembered until
   * `adopt`. Without transactions nothing changes.
   */
  step(state: StateReader, block: { readonly height: number; readonly time: number }, included: readonly Included[]): WindowStep {
    if (included.length === 0) return { changes: [], added: undefined, pruned: [] };
    const changes: Change[] = [];
    const pruned: Bytes[] = [];
    for (const kept of this.#kept.slice(0, PRUNED_A_BLOCK)) {
      if (block.time <= kept.until.time && block.height <= kept.until.height) break;
      changes.push({ key: keys.replay(kept.height), value: null });
      pruned.push(readEntry(state, kept.height).ids);
    }
    const ids = included.map(({ id }) => id);
    const until = included.reduce(
      (latest, { notAfter }) => ({
        time: Math.max(latest.time, notAfter.time),
        height: Math.max(latest.height, notAfter.height),
      }),
      { time: 0, height: 0 },
    );
    const previous = pruned.length < this.#kept.length ? (this.#kept.at(-1) as Kept).height : 0;
    const oldest = this.#kept[pruned.length]?.height ?? block.height;
    changes.push({ key: keys.replay(block.height), value: cbor.encode({ ids: Buffer.concat(ids), until, previous }) });
    changes.push({ key: keys.replayWindow, value: cbor.encode({ oldest, newest: block.height }) });
    return { changes, added: { height: block.height, ids, until }, pruned };
  }

  /** Remembers a step whose changes are committed. */
  adopt(step: WindowStep): void {
    this.#kept.splice(0, step.pruned.length);
    for (const ids of step.pruned) for (const id of idsOf(ids)) this.#table.delete(id);
    if (step.added === undefined) return;
    const { height, ids, until } = step.added;
    this.#kept.push({ height, until });
    for (const [i, id] of ids.entries()) this.#table.add(id, height, i);
  }
}

function readEntry(state: StateReader, height: number): ReplayEntry {
  const bytes = state.get(keys.replay(height));
  invariant(bytes !== undefined, "replay: an entry of the window is missing");
  return replayEntry.parse(cbor.decodeTrusted(bytes));
}

function idsOf(ids: Bytes): Bytes[] {
  const out: Bytes[] = [];
  for (let at = 0; at < ids.length; at += ID_BYTES) out.push(ids.subarray(at, at + ID_BYTES));
  return out;
}
