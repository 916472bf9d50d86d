/**
 * A chain that one validator began goes on under another driver: its blocks, state and log stay, its folder changes hands.
 * Source: requirement F13 (one hospital, then a region); design.md, "Engines a member can outgrow one machine with".
 */
import { chainIdOf } from "@xinglin/contracts";
import { nodeSha256 } from "@xinglin/crypto/node";
import { cometbft } from "@xinglin/crypto/pure";
import { type Bytes, cbor, utf8 } from "@xinglin/primitives";
import type { Time } from "./block-time.ts";
import { openDatabase, writeBatch } from "./database.ts";
import type { LedgerOptions } from "./ledger.ts";
import { openLedger, SOLO } from "./solo-ledger.ts";
import { storageKeys } from "./storage-keys.ts";

/** Where a chain stands that is handed over: the next driver begins with the height above. */
export interface HandedOver {
  readonly height: number;
  /** Time of the newest header; the next one's must be after it. */
  readonly time: Time;
  /** Root of the state after the newest block. */
  readonly appHash: Bytes;
}

/**
 * Finishes what the solo driver had begun, asks `prepare` to note where the chain stands, and then marks the folder as one of the driver `kind`, in
 * one write: from then on the solo driver refuses it. Rejects as `openLedger`; nothing is changed then.
 */
export async function handOver(options: LedgerOptions, kind: string, prepare: (at: HandedOver) => void): Promise<HandedOver> {
  const { directory, genesis } = options;
  const ledger = await openLedger(options);
  await ledger.close();
  const identity = { chain: chainIdOf(genesis), genesis: nodeSha256(genesis), driver: SOLO };
  const database = await openDatabase(directory, identity);
  try {
    const newest = await newestLightBlock(database);
    const { height, time, appHash } = cometbft.decodeLightBlock(newest).header;
    // The newest block is empty, as one always follows a change: what stands in its header is the root after it, too.
    const at = { height, time, appHash };
    prepare(at);
    await writeBatch(database, [
      { type: "put", key: storageKeys.lightTip, value: cbor.encode({ height }) },
      { type: "put", key: storageKeys.driver, value: utf8(kind) },
    ]);
    return at;
  } finally {
    await database.close();
  }
}

/** Of a ledger that was closed in order: nothing is signed above it. */
async function newestLightBlock(database: Awaited<ReturnType<typeof openDatabase>>): Promise<Bytes> {
  const range = { gte: storageKeys.lightBlock(0), lt: storageKeys.lightBlock(Number.MAX_SAFE_INTEGER), reverse: true, limit: 1 };
  for await (const [, value] of database.iterator(range)) return new Uint8Array(value);
  throw new Error("hand over: a ledger that was opened has a block");
}
