/**
 * A place that keeps one pack of pieces an object, behind one interface for folders, S3 and IPFS. `storeContract` is the suite that
 * every implementation passes.
 * Source: design.md, "Archive" (stores behind one interface).
 */
import type { Site, StoreDescription } from "./description.ts";

/** Files that lie beside a pack: the public piece table and the sealed manifest. */
export type DocumentName = "table" | "manifest";

/** Why a pack is staged. An import that died is rolled back on every store; a repair that died only loses its own stage. */
export type StagePurpose = "import" | "repair";

/**
 * A store. Objects appear all at once by `StagedPack.publish` or not at all.
 * Faults of every method: `store_absent` (not there), `store_unclaimed` (its folder is there without its claim: the disk is not mounted, or another one is), `store_unreadable`, `store_unwritable`, `disk_full`.
 */
export interface Store {
  readonly description: StoreDescription;
  readonly id: string;
  /** The institution that lends it, and where it stands: the failure domains of placement. */
  readonly member: string;
  readonly site: Site;
  /** Makes the store in its place and claims that place for it, once; a store that is there already stays as it is. */
  create(): Promise<void>;
  /** Gives the place back: undoes `create`. Only of a store with nothing in it, else `store_not_empty`. */
  unclaim(): Promise<void>;
  /** Whether the store can be reached now, and is this one. */
  isPresent(): Promise<boolean>;
  /** What can still be stored. */
  room(): Promise<StoreRoom>;
  /** Begins a pack that nobody sees yet. `owner` is `stageOwner` of the main thread. */
  stage(objectId: Uint8Array, slot: number, purpose: StagePurpose, owner: string): Promise<StagedPack>;
  /** The object's pack, or `undefined` if the store has none. */
  open(objectId: Uint8Array): Promise<StoredPack | undefined>;
  /** Whether the store has published the object. */
  has(objectId: Uint8Array): Promise<boolean>;
  /** Hex ids of all objects. */
  list(): Promise<string[]>;
  /** Forgets an object, staged or published; nothing happens if there is none. */
  remove(objectId: Uint8Array): Promise<void>;
  /** Removes stages whose process is gone, and says which. */
  collect(): Promise<readonly StaleStage[]>;
}

/** Room in a store. Stores that name the same `disk` share `diskFreeBytes`; `freeBytes` also knows the store's own quota. */
export interface StoreRoom {
  readonly freeBytes: number;
  readonly disk: string;
  readonly diskFreeBytes: number;
}

/** A stage that `collect` removed. */
export interface StaleStage {
  readonly objectId: Uint8Array;
  readonly purpose: StagePurpose;
}

/** A pack being written. Publish it or discard it; a pack that was published can still be discarded while other stores fail. */
export interface StagedPack {
  /** Writes all of `bytes` at `position`. `digest` is their SHA-256 where the caller has it: a store that names what it keeps by its hash need not compute it. */
  write(position: number, bytes: Uint8Array, digest?: Uint8Array): Promise<void>;
  writeDocument(name: DocumentName, bytes: Uint8Array): Promise<void>;
  /** Returns when everything written is on disk; still nobody sees it. */
  settle(): Promise<void>;
  /** Makes the settled pack visible, all at once, and returns when that is on disk. */
  publish(): Promise<void>;
  /** Removes every trace of this pack, staged or published, and nothing that others wrote. */
  discard(): Promise<void>;
}

/** A published pack. Close it after use. */
export interface StoredPack {
  /** Which columns it holds, see `slotOf`. */
  readonly slot: number;
  /** Reads are done by the time they return, with blocking calls: nothing is won by asking others meanwhile. */
  readonly isNear?: true;
  /** Whether what is read here is still what the store shows. Only of packs that stay open in the operating system, which reads on what was deleted. */
  isCurrent?(): boolean;
  /** Fills `into` from `position`; false if the pack ends before. A far one may stop at `signal`: then what is in `into` means nothing. */
  read(position: number, into: Uint8Array, signal?: AbortSignal): Promise<boolean>;
  /** A document of at most `maxBytes`, or `undefined` if there is none or it is longer. */
  readDocument(name: DocumentName, maxBytes: number): Promise<Uint8Array | undefined>;
  /** Writes a repaired piece in place: what it replaces was already wrong, so a crash loses nothing. */
  rewrite(position: number, bytes: Uint8Array): Promise<void>;
  /** Replaces a document, all at once. */
  rewriteDocument(name: DocumentName, bytes: Uint8Array): Promise<void>;
  /** Cuts what stands after `length`, and returns when all that was rewritten is on disk. */
  settle(length: number): Promise<void>;
  close(): Promise<void>;
}
