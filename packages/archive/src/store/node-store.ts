/**
 * A store that another member lends, reached over HTTP through that member's node. Nothing that it says is trusted: pieces and documents
 * are held against the anchored root by whoever reads them, as those of every store.
 * Source: docs/internals/archive.md, "At another member's".
 */
import { type Bytes, cbor, Fault, fromHex, type Schema, toHex } from "@xinglin/primitives";
import {
  collectAnswer,
  heldAnswer,
  LIST_PAGE,
  listAnswer,
  packAnswer,
  roomAnswer,
  type StageRequest,
  stageAnswer,
} from "../lending/wire.ts";
import { type NodeDescription, type Site, siteOf } from "./description.ts";
import { NodeConnection, type StorePatience } from "./node-connection.ts";
import { NodeStagedPack, NodeStoredPack } from "./node-pack.ts";
import type { StagedPack, StagePurpose, StaleStage, Store, StoredPack, StoreRoom } from "./store.ts";

const LIST_BYTES = 400_000;

/** The store that a description of kind `node` names. Nothing is asked until a method is called. */
export class NodeStore implements Store {
  readonly description: NodeDescription;
  readonly id: string;
  readonly member: string;
  readonly site: Site;
  readonly #connection: NodeConnection;

  constructor(description: NodeDescription, patience?: StorePatience) {
    this.description = description;
    this.id = description.id;
    this.member = description.member;
    this.site = siteOf(description);
    this.#connection = new NodeConnection(description, patience);
  }

  /** Only the lender's own node may. */
  async create(): Promise<void> {
    await this.#connection.ask({ method: "POST", path: "/create", settles: true });
  }

  /** The lender does that, at its own medium. */
  async unclaim(): Promise<void> {
    throw this.#connection.fault("store_forbidden");
  }

  async isPresent(): Promise<boolean> {
    return await this.room().then(
      () => true,
      () => false,
    );
  }

  async room(): Promise<StoreRoom> {
    const { disk, ...room } = await this.#read(roomAnswer, "/room");
    return { ...room, disk: `${this.member}/${disk}` };
  }

  /** What the store says that it holds: objects, bytes lent to members, and those of the member that asks. */
  async held(): Promise<{ readonly objects: number; readonly bytes: number; readonly ownBytes: number }> {
    return await this.#read(heldAnswer, "/held");
  }

  async stage(objectId: Uint8Array, slot: number, purpose: StagePurpose, owner: string): Promise<StagedPack> {
    const body = cbor.encode({ objectId: toHex(objectId), slot, purpose, owner } satisfies StageRequest);
    const answer = await this.#connection.ask({ method: "POST", path: "/stages", body, settles: true });
    return new NodeStagedPack(this.#connection, this.#parse(stageAnswer, answer).stage);
  }

  async open(objectId: Uint8Array): Promise<StoredPack | undefined> {
    const id = toHex(objectId);
    const found = await this.#known(this.#read(packAnswer, `/objects/${id}`));
    return found === undefined ? undefined : new NodeStoredPack(this.#connection, id, found.slot);
  }

  async has(objectId: Uint8Array): Promise<boolean> {
    const asked = this.#connection.ask({ method: "GET", path: `/objects/${toHex(objectId)}/here` });
    return (await this.#known(asked)) !== undefined;
  }

  async list(): Promise<string[]> {
    const all: string[] = [];
    for (let after = ""; ; after = all.at(-1)!) {
      const { ids } = await this.#read(listAnswer, `/objects?after=${after}`, LIST_BYTES);
      // A store that gives the same page for ever would be asked for ever.
      if (ids.some((id, i) => id <= (ids[i - 1] ?? after))) throw this.#connection.fault("store_answer_wrong");
      all.push(...ids);
      if (ids.length < LIST_PAGE) return all;
    }
  }

  async remove(objectId: Uint8Array): Promise<void> {
    await this.#connection.ask({ method: "DELETE", path: `/objects/${toHex(objectId)}`, settles: true });
  }

  async collect(): Promise<readonly StaleStage[]> {
    const answer = await this.#connection.ask({ method: "POST", path: "/collect", settles: true, maxBytes: 4 * LIST_BYTES });
    const { stages } = this.#parse(collectAnswer, answer);
    return stages.map(({ objectId, purpose }) => ({ objectId: fromHex(objectId), purpose }));
  }

  async #read<T>(shape: Schema<T>, path: string, maxBytes?: number): Promise<T> {
    const bytes = await this.#connection.ask({ method: "GET", path, ...(maxBytes === undefined ? {} : { maxBytes }) });
    return this.#parse(shape, bytes);
  }

  #parse<T>(shape: Schema<T>, bytes: Bytes): T {
    try {
      return shape.parse(cbor.decode(new Uint8Array(bytes), bytes.length));
    } catch (cause) {
      throw this.#connection.fault("store_answer_wrong", cause);
    }
  }

  /** `undefined` for an object that the store does not have. */
  async #known<T>(asked: Promise<T>): Promise<T | undefined> {
    try {
      return await asked;
    } catch (cause) {
      if (cause instanceof Fault && cause.code === "object_unknown") return undefined;
      throw cause;
    }
  }
}
