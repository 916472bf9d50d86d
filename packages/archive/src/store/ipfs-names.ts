/**
 * How a store finds its own in an IPFS node: by the names of pins, and by markers. A marker is a tiny block whose bytes follow from store and
 * object alone, so anyone can compute its identifier; it is pinned under a name that holds the root of the pack. So one question tells where an
 * object's pack is, and the list of pins is the list of objects: nothing is kept beside the node that could be lost.
 *
 *     xinglin/1/STORE/store                                  recursive   the store itself: without it, it is not there
 *     xinglin/1/STORE/root/OBJECT                            recursive   a pack's root, and all below it
 *     xinglin/1/STORE/object/OBJECT/ROOT                     recursive   the object's marker: set last, so the object appears at once
 *     xinglin/1/STORE/stage/OBJECT/PURPOSE/OWNER/MS[/ROOT]   direct      a stage, as long as it is one
 *     xinglin/1/STORE/hold/OBJECT                            recursive   the rest of a pack while one of its blocks is replaced
 *     xinglin/collecting/1/OWNER/MS                          direct      somebody is about to collect the node's garbage, of whatever store
 */
import { cbor, fromHex, toHex } from "@xinglin/primitives";
import type { CID } from "multiformats/cid";
import { nodeLink, parseLink } from "./ipfs-cid.ts";
import type { StagePurpose } from "./store.ts";

const VERSION = 1;
const STAGE = /^([0-9a-f]{32})\/(import|repair)\/([0-9a-f]{8}-[0-9]+-[0-9a-f]{8})\/([0-9]{1,15})(?:\/([a-z2-7]+))?$/;
const OBJECT = /^([0-9a-f]{32})\/([a-z2-7]+)$/;

/** A block that stands for something by what it says. */
export interface Marker {
  readonly link: CID;
  readonly bytes: Uint8Array;
}

/** A stage as its pin names it. */
export interface NamedStage {
  readonly objectId: Uint8Array;
  readonly purpose: StagePurpose;
  readonly owner: string;
  readonly startedMs: number;
  /** Known once the pack is settled. */
  readonly root?: CID;
}

/** What the names of all announced collections begin with. */
export const COLLECTIONS = `xinglin/collecting/${VERSION}/`;
const COLLECTION = /^([0-9a-f]{8}-[0-9]+-[0-9a-f]{8})\/([0-9]{1,15})$/;

/** A collection of a node's garbage that is announced, or under way. */
export interface Collection {
  readonly owner: string;
  readonly startedMs: number;
}

export const collectionName = ({ owner, startedMs }: Collection): string => `${COLLECTIONS}${owner}/${startedMs}`;
export const collectionMarker = (collection: Collection): Marker =>
  marker({ xinglin: VERSION, collecting: collectionName(collection) });

/** The collection that the name of a pin announces. */
export function parseCollection(name: string): Collection | undefined {
  const found = name.startsWith(COLLECTIONS) ? COLLECTION.exec(name.slice(COLLECTIONS.length)) : null;
  return found === null ? undefined : { owner: found[1]!, startedMs: Number(found[2]) };
}

/** Names and markers of one store. */
export class StoreNames {
  readonly #store: string;
  readonly #prefix: string;

  constructor(store: string) {
    this.#store = store;
    this.#prefix = `xinglin/${VERSION}/${store}`;
  }

  get store(): string {
    return `${this.#prefix}/store`;
  }
  /** What the names of all stages of this store, or of one object, begin with. */
  stages(objectId?: Uint8Array): string {
    return `${this.#prefix}/stage/${objectId === undefined ? "" : `${toHex(objectId)}/`}`;
  }
  get objects(): string {
    return `${this.#prefix}/object/`;
  }
  object(objectId: Uint8Array, root: CID): string {
    return `${this.objects}${toHex(objectId)}/${root}`;
  }
  root(objectId: Uint8Array): string {
    return `${this.#prefix}/root/${toHex(objectId)}`;
  }
  hold(objectId: Uint8Array): string {
    return `${this.#prefix}/hold/${toHex(objectId)}`;
  }
  stage({ objectId, purpose, owner, startedMs, root }: NamedStage): string {
    return `${this.stages(objectId)}${purpose}/${owner}/${startedMs}${root === undefined ? "" : `/${root}`}`;
  }

  /** The object and root that the name of a marker's pin holds. */
  parseObject(name: string): { readonly objectId: string; readonly root: CID } | undefined {
    if (!name.startsWith(this.objects)) return undefined;
    const found = OBJECT.exec(name.slice(this.objects.length));
    const root = found === null ? undefined : parseLink(found[2]!);
    return root === undefined ? undefined : { objectId: found![1]!, root };
  }

  parseStage(name: string): NamedStage | undefined {
    if (!name.startsWith(this.stages())) return undefined;
    const found = STAGE.exec(name.slice(this.stages().length));
    if (found === null) return undefined;
    const [, object, purpose, owner, startedMs, text] = found;
    const root = text === undefined ? undefined : parseLink(text);
    return {
      objectId: fromHex(object!),
      purpose: purpose as StagePurpose,
      owner: owner!,
      startedMs: Number(startedMs),
      ...(root === undefined ? {} : { root }),
    };
  }

  get storeMarker(): Marker {
    return marker({ xinglin: VERSION, store: this.#store });
  }
  objectMarker(objectId: Uint8Array): Marker {
    return marker({ xinglin: VERSION, store: this.#store, object: objectId });
  }
  /** A stage's block says all that its name says, so that no two stages share one. */
  stageMarker(stage: NamedStage): Marker {
    return marker({ xinglin: VERSION, store: this.#store, stage: this.stage(stage) });
  }
}

function marker(value: unknown): Marker {
  const bytes = cbor.encode(value);
  return { link: nodeLink(bytes), bytes };
}
