/**
 * How the archive is, looked at now: objects by how many of their columns are missing, and mending those that wait.
 * Source: requirements D2, D3; docs/internals/durability.md.
 */
import { setTimeout } from "node:timers/promises";
import type { Identity } from "@xinglin/client";
import type { AnchoredObject } from "./anchored-object.ts";
import { archiveView } from "./archive-view.ts";
import { movingFacts } from "./choose-code.ts";
import { type ArchiveHealth, HealthTally, type ObjectHealth } from "./health-tally.ts";
import type { Gateway } from "./keep-record.ts";
import { lookAtObject, repairAnchored } from "./look-at-object.ts";

/** Pieces looked at on each store. */
const SAMPLE = 4;

/** Looks at a sample of every object on every store; what a record that has ended left is no loss and is passed over. Faults: those of `listObjects`. */
export async function archiveHealth(gateway: Gateway, by: Identity, sample: number = SAMPLE): Promise<ArchiveHealth> {
  const view = await archiveView(gateway, by);
  const { readable } = await view.stores();
  const tally = new HealthTally();
  for await (const anchored of view.objects()) {
    const look = await lookAtObject(readable, anchored, { sample });
    if (look.missing === 0 || !(await view.hasEnded(anchored))) tally.note(anchored, look);
  }
  return tally.health();
}

/** What a round of repairs did. */
export interface RepairRound {
  readonly repaired: number;
  readonly pieces: number;
  /** Objects that could not be repaired, or not wholly, by code: `store_absent` where a store of theirs is away. */
  readonly left: ReadonlyMap<string, number>;
  /** Stores that could not be written to, by id: why, and of how many objects. */
  readonly stores: ReadonlyMap<string, { readonly code: string; readonly objects: number }>;
  /** Objects that lack something and were not due. */
  readonly waiting: number;
}

/**
 * Repairs the objects of `queue` that have at most `spare` columns to lose, the most endangered first. After each it rests, so that repairs take
 * `share` of the time at most and reads find the stores free. With `relocate`, columns of stores that are gone are rebuilt on others. Killed half way, nothing is lost: the next round finds what is left.
 */
export async function repairQueue(
  gateway: Gateway,
  by: Identity,
  queue: readonly ObjectHealth[],
  {
    spare,
    share = 0.5,
    relocate = false,
    onObject = () => {},
  }: { spare: number; share?: number; relocate?: boolean; onObject?: (object: ObjectHealth, pieces: number) => void },
): Promise<RepairRound> {
  const view = await archiveView(gateway, by);
  const found = await view.stores();
  const wanted = new Map(queue.filter((one) => one.spare <= spare).map((one) => [one.object, one]));
  const known = new Map<string, AnchoredObject>();
  for await (const anchored of view.objects()) if (wanted.has(anchored.object.id)) known.set(anchored.object.id, anchored);
  const moving = relocate ? { relocate, facts: await movingFacts(gateway, by) } : {};
  const left = new Map<string, number>();
  const stores = new Map<string, { code: string; objects: number }>();
  let [repaired, pieces] = [0, 0];
  for (const [object, health] of wanted) {
    const anchored = known.get(object);
    if (anchored === undefined) continue;
    const started = performance.now();
    const done = await repairAnchored(found, anchored, moving);
    pieces += done.pieces;
    if (done.code === undefined) onObject(health, done.pieces);
    for (const { store, code } of done.left) stores.set(store, { code, objects: (stores.get(store)?.objects ?? 0) + 1 });
    // What is still missing lies on stores that were not there to be written to.
    const code = done.code ?? done.left[0]?.code ?? "store_absent";
    if (done.after === 0) repaired++;
    else left.set(code, (left.get(code) ?? 0) + 1);
    await setTimeout((performance.now() - started) * (1 / share - 1));
  }
  return { repaired, pieces, left, stores, waiting: queue.length - wanted.size };
}
