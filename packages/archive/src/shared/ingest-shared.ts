/**
 * Archiving versions of a study whose pixels are kept once: those that this institution keeps already are not stored again, new ones go
 * into an object of their own, under a key of their own, which the manifest of each version that relies on it seals in.
 * Source: design.md, "Archive"; docs/decisions/0012-shared-pixels.md.
 */
import { randomBytes } from "node:crypto";
import { equal, Fault, invariant, toHex } from "@xinglin/primitives";
import { MAX_SHARED_OBJECTS } from "../file-entry.ts";
import { type Ingested, type IngestOptions, ingest } from "../ingest.ts";
import type { SharedObject } from "../manifest.ts";
import { profileNamed } from "../profile/profile.ts";
import { OBJECT_ID_BYTES } from "../reference.ts";
import type { PixelRegion, SourceFile } from "../source.ts";
import { runTask } from "../work/pool.ts";
import { nameOfPixels, openObjectKey, SHARING_KEY_BYTES, sealObjectKey } from "./region-keys.ts";
import type { KnownPixels, SharedRegistry } from "./registry.ts";
import { takeBackShared } from "./release-shared.ts";

export interface IngestSharedOptions extends Omit<IngestOptions, "shared" | "listFiles" | "contentKey"> {
  readonly registry: SharedRegistry;
  /** 32 random bytes of this institution, kept with its other secrets and given to nobody. */
  readonly sharingKey: Uint8Array;
  /** What `collectShared` will find the version by, should this process die. */
  readonly name: string;
  /**
   * Whether a new version may rely on an object that the registry knows: a registry that is an old copy may know one that was dropped, and what too few
   * stores still have must be stored again.
   */
  readonly mayRely?: (objectId: Uint8Array, reference: KnownPixels["reference"]) => Promise<boolean>;
}

/** What was archived, and what it relies on. */
export interface IngestedShared extends Ingested {
  /** The object made for pixels that were new, if any were. */
  readonly pixels?: Pick<Ingested, "objectId" | "reference" | "sizeBytes" | "streamBytes" | "storedBytes" | "chunks">;
  /** Bytes of pixels that were kept already. */
  readonly sharedBytes: number;
}

/** A file's pixels and where they are kept. */
interface Kept {
  readonly region: PixelRegion;
  readonly object: SharedObject;
  readonly place: KnownPixels["place"];
}

/**
 * Archives `source` as `ingest` does, pixels apart. What fails leaves nothing: what was made is removed, what was relied on released. Say to the registry
 * when the version is `anchored`, or take it back with `takeBackShared`. Faults: those of `ingest`; `source_changed` also if pixels changed since they were looked at.
 */
export async function ingestShared(source: readonly SourceFile[], options: IngestSharedOptions): Promise<IngestedShared> {
  const { registry, sharingKey, name, mayRely, objectId = new Uint8Array(randomBytes(OBJECT_ID_BYTES)), ...rest } = options;
  invariant(sharingKey.length === SHARING_KEY_BYTES, "a sharing key");
  // Pixels that another profile keeps have other digests and other names: they are stored again.
  const profile = profileNamed(rest.profile);
  const regions = await runTask(
    "lookAtPixels",
    { source, profile: profile.name },
    rest.signal === undefined ? {} : { signal: rest.signal },
  );
  const names = regions.map((region) => (region === undefined ? undefined : nameOfPixels(profile, sharingKey, region.digest)));
  registry.note(objectId, name);
  try {
    const known = registry.use(
      objectId,
      names.filter((one) => one !== undefined),
    );
    await leaveOutLost(known, objectId, registry, mayRely);
    const kept = new Map<string, Kept>();
    for (const [i, region] of regions.entries()) {
      const found = known.get(toHex(names[i] ?? new Uint8Array(0)));
      if (region === undefined || found === undefined) continue;
      const key = openObjectKey(profile, sharingKey, region.digest, found.objectId, found.sealedKey);
      if (key === undefined) continue; // the registry of another key: stored again
      const { objectId: id, reference, place } = found;
      kept.set(toHex(region.digest), { region, object: { objectId: id, reference, key }, place });
    }
    const sharedBytes = regions.reduce(
      (sum, region) => (region !== undefined && kept.has(toHex(region.digest)) ? sum + region.sizeBytes : sum),
      0,
    );
    const pixels = await ingestNew(source, regions, kept, objectId, options);
    const objects: SharedObject[] = [];
    const version = source.map((file, i) => shareFile(file, regions[i], kept, objects));
    const made = await ingest(version, { ...rest, objectId, shared: objects });
    return { ...made, sharedBytes, ...(pixels === undefined ? {} : { pixels }) };
  } catch (cause) {
    await takeBackShared(registry, objectId, options.stores);
    throw cause;
  }
}

/** Takes from `known` what no new version may rely on. */
async function leaveOutLost(
  known: Map<string, KnownPixels>,
  version: Uint8Array,
  registry: SharedRegistry,
  mayRely: IngestSharedOptions["mayRely"],
): Promise<void> {
  const lost = new Map<string, boolean>();
  for (const [name, { objectId, reference }] of known) {
    const id = toHex(objectId);
    if (!lost.has(id)) {
      lost.set(id, (await mayRely?.(objectId, reference)) === false);
      if (lost.get(id) === true) registry.lost(objectId, version);
    }
    if (lost.get(id) === true) known.delete(name);
  }
}

/** The file with its pixels said to be elsewhere, if they are; `objects` gathers where. */
function shareFile(
  file: SourceFile,
  region: PixelRegion | undefined,
  kept: ReadonlyMap<string, Kept>,
  objects: SharedObject[],
): SourceFile {
  const found = region === undefined ? undefined : kept.get(toHex(region.digest));
  if (region === undefined || found === undefined) return file;
  let object = objects.findIndex(({ objectId }) => equal(objectId, found.object.objectId));
  if (object < 0 && objects.length >= MAX_SHARED_OBJECTS) return file; // stored with the version: still right, only larger
  if (object < 0) object = objects.push(found.object) - 1;
  return { ...file, shared: { region, entry: { ...found.place, object, at: region.at } } };
}

/** Archives the pixels that are not kept yet as one object, each once, and adds them to `kept` and the registry. */
async function ingestNew(
  source: readonly SourceFile[],
  regions: readonly (PixelRegion | undefined)[],
  kept: Map<string, Kept>,
  version: Uint8Array,
  { registry, sharingKey, objectId: _, onProgress: __, name: ___, mayRely: ____, ...rest }: IngestSharedOptions,
): Promise<IngestedShared["pixels"]> {
  const fresh = new Map<string, { file: SourceFile; region: PixelRegion }>();
  for (const [i, region] of regions.entries())
    if (region !== undefined && !kept.has(toHex(region.digest))) fresh.set(toHex(region.digest), { file: source[i]!, region });
  if (fresh.size === 0) return undefined;
  const list = [...fresh.values()];
  const profile = profileNamed(rest.profile);
  const objectId = new Uint8Array(randomBytes(OBJECT_ID_BYTES));
  registry.begin(version, objectId);
  const files = list.map(({ file, region }, i) => ({ ...file, path: `${i}`, only: region }));
  const made = await ingest(files, { ...rest, objectId, listFiles: true });
  const { key, reference, sizeBytes, streamBytes, storedBytes, chunks } = made;
  const pixels = list.map(({ region }, i) => {
    const { entry, at: from } = made.files![i]!;
    if (!equal(entry.digest, region.digest)) throw new Fault("source_changed", { file: i }, { retry: true });
    const { segments, samples } = entry;
    const place = {
      sizeBytes: region.sizeBytes,
      from,
      ...(segments === undefined ? {} : { segments }),
      ...(samples === undefined ? {} : { samples }),
    };
    kept.set(toHex(region.digest), { region, object: { objectId, reference, key }, place });
    const name = nameOfPixels(profile, sharingKey, region.digest);
    return { name, sealedKey: sealObjectKey(profile, sharingKey, region.digest, objectId, key), place };
  });
  registry.stored(objectId, reference, pixels);
  return { objectId, reference, sizeBytes, streamBytes, storedBytes, chunks };
}
