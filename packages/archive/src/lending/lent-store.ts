/**
 * One lent store, and what guests may do with it. Reads are for every member, since pieces are sealed. Writes have an owner: the member who
 * imported, or whom the chain names as the object's. Only the owner and the lender remove; anyone may repair, but puts back nothing else
 * than what the anchored root names.
 * Source: docs/internals/archive.md, "At another member's"; docs/security.md.
 */
import { Fault, fromHex } from "@xinglin/primitives";
import type { DocumentName, StaleStage, Store, StoreRoom } from "../store/store.ts";
import type { Loans } from "./loans.ts";
import { OpenPacks } from "./open-packs.ts";
import { type FindAnchor, RepairProof } from "./repair-proof.ts";
import type { GuestStage, GuestStages } from "./stages.ts";
import { MAX_DOCUMENT_BYTES, MAX_PART_BYTES, type StageRequest } from "./wire.ts";

export interface LentStoreOptions {
  readonly store: Store;
  readonly loans: Loans;
  readonly stages: GuestStages;
  readonly findAnchor: FindAnchor;
  /** What one member may fill, in bytes. */
  readonly memberQuotaBytes: number;
}

export class LentStore {
  readonly store: Store;
  /** Takes no new imports. */
  draining = false;
  /** Guests find nothing here, even if the medium is there: what ended while it was away is being erased first. */
  away = false;
  readonly #options: LentStoreOptions;
  readonly #packs: OpenPacks;
  readonly #proof: RepairProof;

  constructor(options: LentStoreOptions) {
    this.store = options.store;
    this.#options = options;
    this.#packs = new OpenPacks(options.store);
    this.#proof = new RepairProof(options.findAnchor, (object) => options.loans.of(object)?.member);
  }

  get loans(): Loans {
    return this.#options.loans;
  }

  /** Throws `store_forbidden` for any other member than the lender. */
  async create(member: string): Promise<void> {
    if (member !== this.store.member) throw new Fault("store_forbidden");
    await this.store.create();
  }

  async room(member: string): Promise<StoreRoom> {
    const room = await this.store.room();
    return { ...room, freeBytes: this.draining ? 0 : Math.max(0, Math.min(room.freeBytes, this.#leftFor(member))) };
  }

  /** What the store holds: of all members together, and of the one that asks. */
  async held(member: string): Promise<{ readonly objects: number; readonly bytes: number; readonly ownBytes: number }> {
    const { loans } = this.#options;
    const objects = (await this.store.list()).length;
    return { objects, bytes: loans.members.reduce((sum, { bytes }) => sum + bytes, 0), ownBytes: loans.usedBy(member) };
  }

  /** Throws `store_draining`, `store_busy`, `object_exists`, and those of the store. */
  async stage(member: string, { objectId, slot, purpose, owner }: StageRequest): Promise<string> {
    const { stages, loans } = this.#options;
    if (this.draining) throw new Fault("store_draining");
    stages.requireRoom(member);
    const isRepair = purpose === "repair";
    let loanTo = member;
    if (isRepair) {
      if ((await this.#packs.use(objectId, async () => true)) === true) throw new Fault("object_exists");
      loanTo = (await this.#proof.anchorOf(objectId))?.member ?? loans.of(objectId)?.member ?? member;
    }
    const pack = await this.store.stage(fromHex(objectId), slot, purpose, owner);
    await loans.begin(objectId, member);
    return stages.add({ store: this.store.id, member, loanTo, object: objectId, isRepair, pack });
  }

  /** Throws `member_quota_reached`, and those of the store. */
  async write(stage: GuestStage, at: number, bytes: Uint8Array): Promise<void> {
    this.#spend(stage, bytes.length);
    await stage.pack.write(at, bytes);
  }

  /** Throws `store_proof_wrong` for a repair with another document than the anchored one. */
  async writeDocument(stage: GuestStage, name: DocumentName, bytes: Uint8Array): Promise<void> {
    this.#spend(stage, bytes.length);
    if (stage.isRepair && stage.member !== stage.loanTo) await this.#proof.requireDocument(stage.object, name, bytes);
    await stage.pack.writeDocument(name, bytes);
  }

  async publish(stage: GuestStage): Promise<void> {
    const { loans } = this.#options;
    const before = loans.of(stage.object);
    await loans.keep(stage.object, { member: stage.loanTo, bytes: stage.bytes });
    try {
      await stage.pack.publish();
    } catch (cause) {
      if (before === undefined) await loans.forget(stage.object);
      else await loans.keep(stage.object, before);
      throw cause;
    }
    stage.published = true;
    this.#packs.drop(stage.object);
  }

  async discard(stage: GuestStage): Promise<void> {
    await stage.pack.discard();
    this.#packs.drop(stage.object);
    await this.loans.forget(stage.object);
  }

  slotOf(object: string): Promise<number | undefined> {
    return this.#packs.use(object, async (pack) => pack.slot);
  }

  has(object: string): Promise<boolean> {
    return this.store.has(fromHex(object));
  }

  /** Bytes of the pack from `at`; fewer than `length` if it ends before. */
  async read(object: string, at: number, length: number): Promise<Uint8Array | undefined> {
    return await this.#packs.use(object, async (pack) => {
      const into = new Uint8Array(Math.min(length, MAX_PART_BYTES));
      return (await pack.read(at, into)) ? into : new Uint8Array();
    });
  }

  async readDocument(object: string, name: DocumentName, maxBytes: number): Promise<Uint8Array | undefined> {
    return await this.#packs.use(object, (pack) => pack.readDocument(name, Math.min(maxBytes, MAX_DOCUMENT_BYTES)));
  }

  /** Throws `object_unknown`, and `store_proof_wrong` if a member that does not own the object writes something that the root does not name. */
  async rewrite(member: string, object: string, at: number, bytes: Uint8Array): Promise<void> {
    const done = await this.#packs.use(object, async (pack) => {
      if (!this.#isFree(member, object)) await this.#proof.requirePiece(pack, object, at, bytes);
      await pack.rewrite(at, bytes);
      return true;
    });
    if (done === undefined) throw new Fault("object_unknown");
  }

  async rewriteDocument(member: string, object: string, name: DocumentName, bytes: Uint8Array): Promise<void> {
    if (!this.#isFree(member, object)) await this.#proof.requireDocument(object, name, bytes);
    const done = await this.#packs.use(object, async (pack) => {
      await pack.rewriteDocument(name, bytes);
      return true;
    });
    if (done === undefined) throw new Fault("object_unknown");
  }

  /** Cuts what stands after `length`; others than the owner cut nothing that belongs to the pack. */
  async settle(member: string, object: string, length: number): Promise<void> {
    const done = await this.#packs.use(object, async (pack) => {
      if (!this.#isFree(member, object)) await this.#proof.requireLength(pack, object, length);
      await pack.settle(length);
      return true;
    });
    if (done === undefined) throw new Fault("object_unknown");
    this.#packs.drop(object); // the next reader finds what is there now
  }

  /** By the owner or the lender, else `store_forbidden`; nothing happens if the store has no such object. */
  async remove(member: string, object: string): Promise<void> {
    const { stages, loans } = this.#options;
    const owner = loans.of(object)?.member ?? loans.begunBy(object);
    if (member !== this.store.member && member !== owner) {
      const isHere = await this.store.has(fromHex(object));
      if (!isHere && owner === undefined) return;
      if (owner !== undefined || (await this.#proof.anchorOf(object))?.member !== member) throw new Fault("store_forbidden");
    }
    await stages.drop(object, this.store.id);
    this.#packs.drop(object);
    await this.store.remove(fromHex(object));
    await loans.forget(object);
  }

  /** Stages of processes that are gone: those of this member are told. */
  async collect(member: string): Promise<readonly StaleStage[]> {
    const { stages, loans } = this.#options;
    await stages.expire();
    const collected = await this.store.collect();
    const own: StaleStage[] = [];
    for (const stage of collected) {
      const object = Buffer.from(stage.objectId).toString("hex");
      const begunBy = loans.begunBy(object) ?? loans.of(object)?.member;
      if (begunBy === member || (begunBy === undefined && member === this.store.member)) own.push(stage);
    }
    return own;
  }

  async close(): Promise<void> {
    this.#packs.close();
    await this.#options.loans.close();
  }

  #leftFor(member: string): number {
    const { memberQuotaBytes, loans, stages } = this.#options;
    return member === this.store.member
      ? Number.MAX_SAFE_INTEGER
      : memberQuotaBytes - loans.usedBy(member) - stages.usedBy(member, this.store.id);
  }

  #spend(stage: GuestStage, bytes: number): void {
    if (this.#leftFor(stage.loanTo) < bytes) throw new Fault("member_quota_reached");
    stage.bytes += bytes;
  }

  /** Whether a member may write what it likes into this object's pack: its own, or one on its own medium. */
  #isFree(member: string, object: string): boolean {
    return member === this.store.member || this.loans.of(object)?.member === member;
  }
}
