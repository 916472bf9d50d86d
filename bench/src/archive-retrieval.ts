/** Retrieval into a folder with four of fourteen stores gone, an audit of all pieces, and the repair of four packs. */
import { rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { auditPossession, type Ingested, repair, retrieve, type Store } from "@xinglin/archive";
import { auditLoop, openingLoop, repairLoop } from "./archive-limits.ts";
import { compare, type Emit, GONE, MEGABYTE, mb, round, type Study } from "./archive-study.ts";
import { best, interleave, median, timed } from "./measure.ts";

/** A study that lies on stores. */
export interface Archived {
  readonly study: Study;
  readonly stores: readonly Store[];
  readonly object: Ingested;
}

/** Where a store's folder is. */
export function folderOf({ description }: Store): string {
  if (description.kind !== "directory") throw new Error("the bench's stores are folders");
  return description.path;
}

/** Runs `work` while these stores are away. */
export async function without<T>(stores: readonly Store[], work: () => Promise<T>): Promise<T> {
  const away: string[] = [];
  try {
    for (const path of stores.map(folderOf)) {
      await rename(path, `${path}.gone`);
      away.push(path);
    }
    return await work();
  } finally {
    for (const path of away) await rename(`${path}.gone`, path);
  }
}

/** Emits `retrieve-degraded`, in MB a second; throws if one byte differs. */
export async function measureRetrieval(archived: Archived, folder: string, rounds: number, emit: Emit): Promise<void> {
  const { study, stores, object } = archived;
  const destination = join(folder, "out");
  const cpus: number[] = [];
  const ours = async (): Promise<number> => {
    await rm(destination, { recursive: true, force: true });
    const { result, seconds, cpuSeconds } = await timed(() =>
      retrieve(object.reference, object.objectId, object.key, stores, destination),
    );
    if (result.troubles.length !== GONE || result.rebuiltPieces === 0) throw new Error("the stores were not gone");
    await compare(study, join(destination, "study"));
    cpus.push(study.sizeBytes / MEGABYTE / cpuSeconds);
    return study.sizeBytes / MEGABYTE / seconds;
  };
  const samples = await without(stores.slice(0, GONE), () =>
    interleave(rounds, { ours, limit: () => openingLoop(study.sizeBytes) }, 1),
  );
  await rm(destination, { recursive: true, force: true });
  const value = median(samples.ours);
  const limit = best(samples.limit);
  emit({
    measure: "retrieve-degraded",
    value,
    unit: "MB/s",
    limit: { name: "SHA-256 of pieces and files + code + AES-256-GCM, no I/O", value: limit },
    ratio: value / limit,
    conditions: {
      size: mb(study.sizeBytes),
      stores: `${stores.length - GONE} of ${stores.length}`,
      bytes: "identical",
      cpu: `${Math.round(median(cpus.slice(1)))}MB/cpu-s`,
      demand: "≥ 250 MB/s",
    },
    samples: samples.ours,
  });
}

/** Emits `audit`: source bytes a CPU second, every piece of every store looked at. */
export async function measureAudit({ study, stores, object }: Archived, rounds: number, emit: Emit): Promise<void> {
  let pieces = 0;
  const walls: number[] = [];
  const samples = await interleave(
    rounds,
    {
      ours: async () => {
        const audited = await timed(() => auditPossession(object.reference, object.objectId, stores));
        if (!audited.result.intact) throw new Error("the object is not intact");
        pieces = audited.result.checked;
        walls.push(study.sizeBytes / MEGABYTE / audited.seconds);
        return study.sizeBytes / MEGABYTE / audited.cpuSeconds;
      },
      limit: () => auditLoop(study.sizeBytes),
    },
    1,
  );
  const value = median(samples.ours);
  const limit = best(samples.limit);
  emit({
    measure: "audit",
    value,
    unit: "MB/cpu-s",
    limit: { name: "SHA-256 of all pieces, no I/O", value: limit },
    ratio: value / limit,
    conditions: {
      size: mb(study.sizeBytes),
      pieces,
      wall: `${Math.round(median(walls))}MB/s`,
      counted: "source bytes, all pieces",
      demand: "≥ 500",
    },
    samples: samples.ours,
  });
}

/** Emits `repair`: source bytes a CPU second to rebuild four packs, and how long that took by the clock. */
export async function measureRepair({ study, stores, object }: Archived, rounds: number, emit: Emit): Promise<void> {
  const seconds: number[] = [];
  const samples = await interleave(
    rounds,
    {
      ours: async () => {
        for (const store of stores.slice(0, GONE)) await store.remove(object.objectId);
        const repaired = await timed(() => repair(object.reference, object.objectId, stores));
        const { after, repaired: packs } = repaired.result;
        if (!after.intact || packs.length !== GONE) throw new Error("the repair left damage");
        seconds.push(repaired.seconds);
        return study.sizeBytes / MEGABYTE / repaired.cpuSeconds;
      },
      limit: () => repairLoop(study.sizeBytes),
    },
    1,
  );
  const value = median(samples.ours);
  const limit = best(samples.limit);
  emit({
    measure: "repair",
    value,
    unit: "MB/cpu-s",
    limit: { name: "SHA-256 of ten pieces a stripe, code and SHA-256 of four, no I/O", value: limit },
    ratio: value / limit,
    conditions: {
      size: mb(study.sizeBytes),
      stores: `${GONE} packs of ${stores.length}`,
      "by the clock": `${round(median(seconds.slice(1)))} s`,
      "by the clock, worst": `${round(Math.max(...seconds))} s`,
      counted: "source bytes, audits before and after included",
      demand: "≥ 500, 500 MB in ≤ 3 s",
    },
    samples: samples.ours,
  });
}
