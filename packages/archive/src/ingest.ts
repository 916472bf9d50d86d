/**
 * Taking an object into the archive.
 * Source: design.md, "Archive".
 */
import { randomBytes } from "node:crypto";
import { Fault, invariant } from "@xinglin/primitives";
import type { StoreFacts } from "./durability/placement-rank.ts";
import { type CodeParameters, DEFAULT_CODE } from "./layout.ts";
import type { SharedObject } from "./manifest.ts";
import type { ProfileName } from "./profile/profile.ts";
import { CONTENT_KEY_BYTES, OBJECT_ID_BYTES } from "./reference.ts";
import type { SourceFile } from "./source.ts";
import { stageOwner } from "./store/owner.ts";
import type { Store } from "./store/store.ts";
import type { ImportOutcome } from "./work/import-object.ts";
import { runTask, type WorkOptions } from "./work/pool.ts";

export interface IngestOptions extends WorkOptions {
  /** At least k + m of them, no two the same. */
  readonly stores: readonly Store[];
  readonly code?: CodeParameters;
  /** What seals and hashes it, `standard` unless said: the institution's choice, written into the object. */
  readonly profile?: ProfileName;
  /** 16 random bytes, never used before; for a caller that writes down what it begins. Drawn here without it. */
  readonly objectId?: Uint8Array;
  /** Of an object whose content is sealed already, see `packRecords`. Never one that sealed anything before. */
  readonly contentKey?: Uint8Array;
  /** Objects that files of the source share pixels with; whether to tell where each file stands: see `ingestShared`. */
  readonly shared?: readonly SharedObject[];
  readonly listFiles?: boolean;
  /** What is known of stores beside their room (measured availability, price), by store id: see `placeObject`. */
  readonly facts?: Readonly<Record<string, StoreFacts>>;
}

/** An archived object: what to anchor, and the key to split among custodians and forget. */
export interface Ingested extends ImportOutcome {
  readonly objectId: Uint8Array;
  readonly key: Uint8Array;
}

/**
 * Archives `source`, in order, as one object under a fresh key: on all its stores, on disk, or on none. Memory does not depend on
 * the size. Faults: `source_empty`, `source_unreadable`, `source_changed`, `path_refused`, `object_too_large`, `stores_too_few`,
 * `store_absent`, `store_unwritable`, `disk_full`, `aborted`, `worker_died`.
 */
export async function ingest(source: readonly SourceFile[], options: IngestOptions): Promise<Ingested> {
  const {
    stores,
    code = DEFAULT_CODE,
    objectId = new Uint8Array(randomBytes(OBJECT_ID_BYTES)),
    contentKey,
    facts,
    profile,
    shared,
    listFiles,
    ...work
  } = options;
  // A failed import removes what it made, and must never take an older object of the same id with it.
  if (options.objectId !== undefined)
    for (const store of stores) invariant(!(await store.has(objectId).catch(() => false)), "an object id is used once");
  const key = contentKey ?? new Uint8Array(randomBytes(CONTENT_KEY_BYTES));
  const descriptions = stores.map((store) => store.description);
  try {
    const order = {
      source,
      stores: descriptions,
      code,
      objectId,
      contentKey: key,
      owner: stageOwner,
      facts,
      profile,
      shared,
      listFiles,
    };
    return { objectId, key, ...(await runTask("importObject", order, work)) };
  } catch (cause) {
    if (cause instanceof Fault && cause.code === "worker_died")
      await Promise.allSettled(stores.map((store) => store.remove(objectId)));
    throw cause;
  }
}
