/**
 * What stands where below a store's prefix. An object is there when its marker is; the marker names the generation of its pack and of its
 * documents, so that either is replaced at once by writing the marker anew.
 *
 *     xinglin-store                            whose store this is
 *     objects/OBJECT                           the marker
 *     packs/OBJECT/GENERATION/pieces           the pack; `table` and `manifest` beside it
 *     incoming/OBJECT.WHY.OWNER.GENERATION     who is about to write that generation, or to remove the object; empty
 */
import { randomBytes } from "node:crypto";
import { type Infer, schema } from "@xinglin/primitives";
import type { DocumentName } from "./store.ts";

/** Key of the note that says whose store this is. */
export const OWNER_KEY = "xinglin-store";
/** Where markers, packs and stages stand. */
export const OBJECTS = "objects/";
export const PACKS = "packs/";
export const INCOMING = "incoming/";
/** No note and no marker is longer. */
export const MAX_NOTE_BYTES = 4_096;

const generation = schema.text(16, /^[0-9a-f]{16}$/, 16);
const owner = schema.object({ type: schema.oneOf("xinglin-store/1"), member: schema.text(64), store: schema.text(64) });
const marker = schema.object({
  type: schema.oneOf("xinglin-object/1"),
  slot: schema.uint(255),
  lengthBytes: schema.uint(),
  pieces: generation,
  documents: generation,
});

/** Whose store a prefix is. */
export type S3Owner = Infer<typeof owner>;
/** What is said of a published object. */
export type S3Marker = Infer<typeof marker>;

/** Why something is being written: to import, to repair, or to remove what is there. */
export type S3StageReason = "import" | "repair" | "removal";

/** Someone about to write. */
export interface S3Stage {
  readonly object: string;
  readonly reason: S3StageReason;
  readonly owner: string;
  readonly generation: string;
}

const STAGE = /^incoming\/([0-9a-f]{32})\.(import|repair|removal)\.([0-9a-f]{8}-[0-9]+-[0-9a-f]{8})\.([0-9a-f]{16})$/;
const MARKER = /^objects\/([0-9a-f]{32})$/;
const PACK = /^packs\/([0-9a-f]{32})\/([0-9a-f]{16})\//;

/** A name that nobody else has used or will use. */
export const newGeneration = (): string => randomBytes(8).toString("hex");

export const markerKey = (object: string): string => OBJECTS + object;
export const packsOf = (object: string): string => `${PACKS}${object}/`;
export const generationOf = (object: string, generation: string): string => `${packsOf(object)}${generation}/`;
export const piecesKey = (object: string, generation: string): string => `${generationOf(object, generation)}pieces`;
export const documentKey = (object: string, generation: string, name: DocumentName): string =>
  generationOf(object, generation) + name;
export const stageKey = (stage: S3Stage): string =>
  `${INCOMING}${stage.object}.${stage.reason}.${stage.owner}.${stage.generation}`;

/** The object whose marker this is the key of. */
export const objectOfMarker = (key: string): string | undefined => MARKER.exec(key)?.[1];

/** The stage that this is the key of. */
export function stageOfKey(key: string): S3Stage | undefined {
  const [, object, reason, stageOwner, stageGeneration] = STAGE.exec(key) ?? [];
  if (object === undefined) return undefined;
  return { object, reason: reason as S3StageReason, owner: stageOwner!, generation: stageGeneration! };
}

/** Object and generation to which a key below `packs/` belongs. */
export function packOfKey(key: string): { readonly object: string; readonly generation: string } | undefined {
  const [, object, found] = PACK.exec(key) ?? [];
  return object === undefined ? undefined : { object, generation: found! };
}

export const encodeNote = (note: S3Owner | S3Marker): Uint8Array => Buffer.from(JSON.stringify(note));
/** The note of these bytes, or undefined if they are none. */
export const decodeOwner = (bytes: Uint8Array): S3Owner | undefined => decode(owner, bytes);
export const decodeMarker = (bytes: Uint8Array): S3Marker | undefined => decode(marker, bytes);

function decode<T>(shape: { parse(value: unknown): T }, bytes: Uint8Array): T | undefined {
  try {
    return shape.parse(JSON.parse(Buffer.from(bytes).toString("utf8")));
  } catch {
    return undefined; // written by someone else, or damaged
  }
}
