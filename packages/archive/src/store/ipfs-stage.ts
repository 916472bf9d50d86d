/** A pack on its way into an IPFS node: blocks stream in, then a pin keeps them, then the object's marker shows them. */
import { equal, Fault } from "@xinglin/primitives";
import type { CID } from "multiformats/cid";
import { sha256 } from "../digest.ts";
import type { IpfsBlocks } from "./ipfs-blocks.ts";
import { CarUpload } from "./ipfs-car.ts";
import { rawLink } from "./ipfs-cid.ts";
import { refusalFault } from "./ipfs-fault.ts";
import type { NamedStage, StoreNames } from "./ipfs-names.ts";
import { buildTree, PieceList, type TreeBlock, type TreeDocuments } from "./ipfs-pieces.ts";
import { awaitCollections } from "./ipfs-sweep.ts";
import { MAX_BLOCK_BYTES, partsOf, type TreeDocument } from "./ipfs-tree.ts";
import type { DocumentName, StagedPack } from "./store.ts";

/** What a staged pack works with. */
export interface StageContext {
  readonly store: string;
  readonly blocks: IpfsBlocks;
  readonly names: StoreNames;
  readonly slot: number;
  /** Bytes that may be written; more is `disk_full`. */
  readonly budget: number;
  /** Gives disk back; may come later. */
  sweep(): Promise<void>;
}

/** A stage. Its marker, a direct pin, stands as long as it is one. */
export class IpfsStagedPack implements StagedPack {
  readonly #context: StageContext;
  readonly #pieces = new PieceList();
  readonly #documents: TreeDocuments = {};
  #stage: NamedStage;
  #budget: number;
  #upload: CarUpload | undefined;
  #root: CID | undefined;
  #published = false;

  /** Sets the marker. */
  static async begin(stage: NamedStage, context: StageContext): Promise<IpfsStagedPack> {
    const pack = new IpfsStagedPack(stage, context);
    await pack.#mark();
    await awaitCollections(context.blocks).catch(async (cause: unknown) => {
      await pack.#unmark().catch(() => {});
      throw cause;
    });
    return pack;
  }

  private constructor(stage: NamedStage, context: StageContext) {
    this.#stage = stage;
    this.#context = context;
    this.#budget = context.budget;
  }

  async write(position: number, bytes: Uint8Array, digest?: Uint8Array): Promise<void> {
    this.#spend(bytes.length);
    if (bytes.length <= MAX_BLOCK_BYTES) return await this.#writePiece(position, bytes, digest ?? sha256(bytes));
    let at = position;
    for (const part of partsOf(bytes)) {
      await this.#writePiece(at, part, sha256(part));
      at += part.length;
    }
  }

  async writeDocument(name: DocumentName, bytes: Uint8Array): Promise<void> {
    this.#spend(bytes.length);
    const document: TreeDocument = { bytes: bytes.length, blocks: [] };
    for (const part of partsOf(bytes)) {
      const link = rawLink(sha256(part));
      document.blocks.push(link);
      await this.#blocksOut().add(link, part);
    }
    this.#documents[name] = document;
  }

  async settle(): Promise<void> {
    const { store, names, slot, blocks } = this.#context;
    const pieces = this.#pieces.inOrder();
    if (pieces === undefined) throw new Fault("store_unwritable", { store, errno: "gap" });
    await this.#writing(async () => {
      const tree = buildTree(this.#stage.objectId, slot, pieces, this.#documents);
      for (const { link, bytes } of tree) await this.#blocksOut().add(link, bytes);
      await this.#blocksOut().finish();
      this.#upload = undefined;
      const root = tree.at(-1)!;
      this.#root = root.link;
      await this.#renewRoot(root);
      const before = this.#stage;
      this.#stage = { ...before, root: root.link };
      await this.#mark(); // so that whoever finds the stage finds its pin, too
      await blocks.pin(root.link, "recursive", names.root(before.objectId));
      await blocks.unpin(names.stageMarker(before).link, "direct");
    });
  }

  async publish(): Promise<void> {
    const { store, blocks, names } = this.#context;
    const { objectId, purpose } = this.#stage;
    const root = this.#root;
    if (root === undefined) throw new Fault("store_unwritable", { store, errno: "not_settled" });
    await this.#writing(async () => {
      const marker = names.objectMarker(objectId);
      const before = names.parseObject((await blocks.pinName(marker.link, "recursive")) ?? "");
      if (before !== undefined && purpose === "import") throw new Fault("object_exists", { store });
      await blocks.keep(marker.link, marker.bytes, "recursive", names.object(objectId, root));
      this.#published = true;
      if (before !== undefined && !before.root.equals(root)) await blocks.unpin(before.root, "recursive");
      await this.#unmark();
    });
  }

  async discard(): Promise<void> {
    const { blocks, names } = this.#context;
    const { objectId } = this.#stage;
    this.#upload?.abort();
    this.#upload = undefined;
    await this.#writing(async () => {
      const marker = names.objectMarker(objectId);
      const shown = names.parseObject((await blocks.pinName(marker.link, "recursive")) ?? "");
      const root = this.#root;
      if (root !== undefined && shown?.root.equals(root) === true && this.#published) {
        await blocks.unpin(marker.link, "recursive");
        await blocks.unpin(root, "recursive");
      } else if (root !== undefined && shown?.root.equals(root) !== true) await blocks.unpin(root, "recursive");
      await this.#unmark();
      await this.#context.sweep();
    });
  }

  #blocksOut(): CarUpload {
    this.#upload ??= new CarUpload(this.#context.blocks.rpc, this.#context.names.stageMarker(this.#stage).link);
    return this.#upload;
  }

  async #writePiece(position: number, bytes: Uint8Array, digest: Uint8Array): Promise<void> {
    this.#pieces.add(position, bytes.length, digest);
    await this.#blocksOut().add(rawLink(digest), bytes);
  }

  /**
   * A root that lies damaged on the node's disk from before keeps the node from taking the right one, which has the same name: that one is removed
   * first. Nothing is lost by it, for a pack with such a root cannot be opened.
   */
  async #renewRoot({ link, bytes }: TreeBlock): Promise<void> {
    const { blocks, store } = this.#context;
    const shown = async (): Promise<boolean> => equal((await blocks.get(link, bytes.length)) ?? new Uint8Array(), bytes);
    if (await shown()) return;
    await blocks.unpin(link, "recursive");
    await blocks.remove(link);
    await blocks.put(link, bytes);
    if (!(await shown())) throw new Fault("store_unwritable", { store, errno: "block_stuck" });
  }

  async #mark(): Promise<void> {
    const { blocks, names } = this.#context;
    await this.#writing(async () => {
      const marker = names.stageMarker(this.#stage);
      await blocks.keep(marker.link, marker.bytes, "direct", names.stage(this.#stage));
    });
  }

  async #unmark(): Promise<void> {
    const { blocks, names } = this.#context;
    const { root: _, ...unsettled } = this.#stage;
    for (const stage of [unsettled, this.#stage]) await blocks.unpin(names.stageMarker(stage).link, "direct");
  }

  #spend(bytes: number): void {
    this.#budget -= bytes;
    if (this.#budget < 0) throw new Fault("disk_full", { store: this.#context.store });
  }

  async #writing<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (cause) {
      throw refusalFault(this.#context.store, cause, "writing");
    }
  }
}
