/**
 * Giving disk back: what no pin keeps is garbage, and the node's collector looks at all that it stores, however little is to be collected. So
 * collections of one node are put together, and they take at most a tenth of the time. While anything is being written nothing is collected:
 * until its pin is set, it looks like garbage.
 */

import type { IpfsBlocks } from "./ipfs-blocks.ts";
import { IpfsRefusal } from "./ipfs-fault.ts";
import { LONG_CALL_MS } from "./ipfs-rpc.ts";

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

/** False if something is being written just now. */
async function collect(blocks: IpfsBlocks): Promise<boolean> {
  for await (const line of blocks.rpc.lines("pin/ls", { query: { type: "direct", name: ANY_STAGE, names: true, stream: true } }))
    if (typeof line.Name === "string" && line.Name.startsWith("xinglin/")) return false;
  try {
    for await (const _ of blocks.rpc.lines("repo/gc", { query: { quiet: true, silent: true }, waitMs: LONG_CALL_MS }));
  } catch (cause) {
    if (!(cause instanceof IpfsRefusal)) throw cause; // a damaged pack keeps the node from telling garbage: after its repair it can
  }
  return true;
}
