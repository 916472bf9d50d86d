/**
 * The archive over folders on this disk, over IPFS nodes, and beside what a user would take instead. The study is one of files as large as CT
 * slices, of random bytes. Limits do the same sealing, hashing and coding in a loop over memory: no files, no stores, no threads.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { closeWorkers, encodeReference, openStores } from "@xinglin/archive";
import { measureCode } from "./archive-code.ts";
import { measureFilter } from "./archive-filter.ts";
import { measureGrowth } from "./archive-growth.ts";
import { measureIngest } from "./archive-ingest.ts";
import { measureLargeObject } from "./archive-large.ts";
import { measureMemory } from "./archive-memory.ts";
import { measureNational } from "./archive-national.ts";
import { measureNetwork } from "./archive-network.ts";
import { measurePeers } from "./archive-peers.ts";
import { measureRange } from "./archive-range.ts";
import { measureAudit, measureRepair, measureRetrieval, without } from "./archive-retrieval.ts";
import { measureSmallRecords } from "./archive-small-records.ts";
import { type Emit, MEGABYTE, makeStudy, mb, storesBelow } from "./archive-study.ts";
import type { SuiteOptions } from "./measure.ts";
import { anchorBytes } from "./onchain-bytes.ts";

const PEER_BYTES = 150 * MEGABYTE;

/** Emits what docs/internals/archive.md lists under "Figures". */
export async function run({ quick, emit }: SuiteOptions): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "xinglin-bench-archive-"));
  try {
    await measureStudy(folder, quick, emit);
    await closeWorkers();
    await rm(folder, { recursive: true });
    await measureMemory(quick, emit);
    await measureLargeObject(quick, emit);
    await measurePeers({ quick, sizeBytes: PEER_BYTES }, emit);
    await measureGrowth(quick, emit);
    await measureSmallRecords(quick, (at) => openStores(storesBelow(at), { create: true }), emit);
  } finally {
    await closeWorkers();
    await rm(folder, { recursive: true, force: true });
  }
}

/** All that is measured of one study on fourteen stores. */
async function measureStudy(folder: string, quick: boolean, emit: Emit): Promise<void> {
  const study = await makeStudy(join(folder, "study"), (quick ? 150 : 500) * MEGABYTE);
  const stores = await openStores(storesBelow(join(folder, "stores")), { create: true });
  const rounds = quick ? 3 : 5;
  await measureCode(quick, emit);
  const object = await measureIngest(study, stores, rounds, emit);
  const archived = { study, stores, object };
  await measureNational(study, stores, rounds, emit);
  await measureFilter(stores, folder, quick, emit);
  await measureRetrieval(archived, folder, rounds, emit);
  const reads = quick ? 15 : 60;
  const dead = stores.slice(0, 1);
  await measureRange({ measure: "range", source: archived, reads, state: "14 folders", demand: "≤ 50 ms" }, emit);
  const state = "13 of 14 folders";
  await without(dead, () =>
    measureRange({ measure: "range-holder-dead", source: archived, holders: dead, reads, state, demand: "≤ 150 ms" }, emit),
  );
  await measureAudit(archived, rounds, emit);
  await measureRepair(archived, rounds, emit);
  await measureNetwork(study, quick, emit);
  const size = mb(study.sizeBytes);
  const counted = "what the chain keeps of the object, within an operation";
  emit({
    measure: "reference-bytes",
    value: encodeReference(object.reference).length,
    unit: "B",
    conditions: { size, counted },
  });
  emit({
    measure: "onchain-bytes",
    value: await anchorBytes(object.objectId, object.reference),
    unit: "B",
    conditions: { size, counted: "the whole signed transaction that anchors the study, custody by six", demand: "< 1024" },
  });
}
