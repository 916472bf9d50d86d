/**
 * Giving disk back: what no pin keeps is garbage, and the node's collector looks at all that it stores, however little is to be collected. So
 * collections of one node are put together, and they take at most a tenth of the time. While anything is being written nothing is collected:
 * until its pin is set, it looks like garbage. Kubo has no lock that lasts from an import's first block to its pin, so writers and collectors tell each
 * other by pins: each sets its own before it looks for the other's, so at least one of two that meet sees the other. Then the collector goes back, and the
 * writer waits.
 */
import { setTimeout as wait } from "node:timers/promises";
import { Fault } from "@xinglin/primitives";
import type { IpfsBlocks } from "./ipfs-blocks.ts";
import { IpfsRefusal } from "./ipfs-fault.ts";
import { COLLECTIONS, collectionMarker, collectionName, parseCollection } from "./ipfs-names.ts";
import { CALL_MS, LONG_CALL_MS } from "./ipfs-rpc.ts";
import { isStale, stageOwner } from "./owner.ts";

const REST_FACTOR = 9;
/** Names of all stages, of whatever store: several stores may lie on one node. */
const ANY_STAGE = "/stage/";

interface NodeState {
  running: Promise<void> | undefined;
  wanted: boolean;
  restUntil: number;
  timer: NodeJS.Timeout | undefined;
}
const states = new Map<string, NodeState>();

/** Asks for a collection of the node at `api`; it may come later. With `now`, returns when it is done. */
export async function sweep(api: string, blocks: IpfsBlocks, now = false): Promise<void> {
  let state = states.get(api);
  if (state === undefined) {
    state = { running: undefined, wanted: false, restUntil: 0, timer: undefined };
    states.set(api, state);
  }
  state.wanted = true;
  await run(state, blocks, now);
}

/** Does what was asked for and has waited so far. */
export async function sweepPending(api: string, blocks: IpfsBlocks): Promise<void> {
  const state = states.get(api);
  if (state?.wanted === true) await run(state, blocks, true);
}

async function run(state: NodeState, blocks: IpfsBlocks, now: boolean): Promise<void> {
  while (state.running !== undefined) await state.running.catch(() => {});
  if (!state.wanted) return;
  const restMs = state.restUntil - performance.now();
  if (restMs > 0 && !now) {
    state.timer ??= setTimeout(() => {
      state.timer = undefined;
      run(state, blocks, true).catch(() => {}); // garbage stays until the next removal
    }, restMs).unref();
    return;
  }
  const started = performance.now();
  state.wanted = false;
  state.running = collect(blocks).then((done) => {
    if (!done) state.wanted = true;
  });
  try {
    await state.running;
  } finally {
    state.running = undefined;
    state.restUntil = performance.now() + REST_FACTOR * (performance.now() - started);
  }
}

const LOOK_MS = 100;
/** No collection that anybody waits for takes longer. */
const OLDEST_MS = LONG_CALL_MS + 4 * CALL_MS;

/**
 * To be called once a stage's marker is set, before anything else is written: returns when no collection is under way that may not have seen it. Those of
 * processes that are gone are forgotten. Throws `store_slow` after a quarter of an hour.
 */
export async function awaitCollections(blocks: IpfsBlocks): Promise<void> {
  const deadline = performance.now() + OLDEST_MS;
  for (;;) {
    let isWaiting = false;
    for await (const { link, name } of blocks.pins("direct", COLLECTIONS)) {
      const found = parseCollection(name);
      if (found === undefined) continue;
      if (isStale(found.owner, found.startedMs) || Date.now() - found.startedMs > OLDEST_MS) await blocks.unpin(link, "direct");
      else isWaiting = true;
    }
    if (!isWaiting) return;
    if (performance.now() > deadline) throw new Fault("store_slow", { store: blocks.rpc.store }, { retry: true });
    await wait(LOOK_MS);
  }
}

/** False if something is being written just now. */
async function collect(blocks: IpfsBlocks): Promise<boolean> {
  const collection = { owner: stageOwner, startedMs: Date.now() };
  const { link, bytes } = collectionMarker(collection);
  await blocks.keep(link, bytes, "direct", collectionName(collection));
  try {
    return await collectUnlessWritten(blocks);
  } finally {
    await blocks.unpin(link, "direct").catch(() => {}); // forgotten once it is too old
  }
}

async function collectUnlessWritten(blocks: IpfsBlocks): Promise<boolean> {
  for await (const line of blocks.rpc.lines("pin/ls", { query: { type: "direct", name: ANY_STAGE, names: true, stream: true } }))
    if (typeof line.Name === "string" && line.Name.startsWith("xinglin/")) return false;
  try {
    for await (const _ of blocks.rpc.lines("repo/gc", { query: { quiet: true, silent: true }, waitMs: LONG_CALL_MS }));
  } catch (cause) {
    if (!(cause instanceof IpfsRefusal)) throw cause; // a damaged pack keeps the node from telling garbage: after its repair it can
  }
  return true;
}
