/** A store service on loopback over folders, as another member's node runs it, and stores that reach it. */
import { join } from "node:path";
import { nodeEd25519Signer } from "@xinglin/crypto/node";
import type { ActorId } from "@xinglin/primitives";
import { Fault } from "@xinglin/primitives";
import { openLent } from "../../src/lending/open-lent.ts";
import { issuePass, readPass } from "../../src/lending/pass.ts";
import type { Anchor } from "../../src/lending/repair-proof.ts";
import { type StoreService, serveStores } from "../../src/lending/service.ts";
import { DirectoryStore } from "../../src/store/directory.ts";
import type { StorePatience } from "../../src/store/node-connection.ts";
import { NodeStore } from "../../src/store/node-store.ts";
import type { StoredPack } from "../../src/store/store.ts";

/** Impatient: nothing here is far away. */
export const IMPATIENT: StorePatience = { connectMs: 1_000, silenceMs: 300, megabyteMs: 1_000 };

export class Lender {
  readonly inner: readonly HangingStore[];
  readonly service: StoreService;
  /** What the chain would know of objects: the first to name one by its id, any member's by `MEMBER/ID`. */
  readonly anchors: Map<string, Anchor>;
  /** Members whose passes are refused. */
  readonly suspended: Set<string>;

  static async open(
    folder: string,
    {
      member = "lender",
      count = 1,
      quotaBytes,
      memberQuotaBytes,
      port = 0,
    }: { member?: string; count?: number; quotaBytes?: number; memberQuotaBytes?: number; port?: number } = {},
  ): Promise<Lender> {
    const inner = Array.from(
      { length: count },
      (_, i) =>
        new HangingStore({
          kind: "directory",
          id: `${member}-${i}`,
          member,
          path: join(folder, `${member}-${i}`),
          ...(quotaBytes === undefined ? {} : { quotaBytes }),
        }),
    );
    for (const store of inner) await store.create();
    const anchors = new Map<string, Anchor>();
    const suspended = new Set<string>();
    const find = (id: string, of: string | undefined): Anchor | undefined => {
      const first = anchors.get(id);
      return of === undefined || first?.member === of ? first : anchors.get(`${of}/${id}`);
    };
    const lent = await openLent(inner, join(folder, `${member}-loans`), async (id, of) => find(id, of), memberQuotaBytes);
    const service = await serveStores({
      ...lent,
      listen: { host: "127.0.0.1", port },
      names: [],
      authorize: async (pass) => {
        const { statement } = readPass(pass);
        const of = statement.actor.replace(/^doctor-/, "");
        if (suspended.has(of)) throw new Fault("signer_suspended");
        return { member: of };
      },
    });
    return new Lender(inner, service, anchors, suspended);
  }

  private constructor(
    inner: readonly HangingStore[],
    service: StoreService,
    anchors: Map<string, Anchor>,
    suspended: Set<string>,
  ) {
    this.inner = inner;
    this.service = service;
    this.anchors = anchors;
    this.suspended = suspended;
  }

  get url(): string {
    return `http://127.0.0.1:${this.service.port}`;
  }

  /** The i-th store as `guest` reaches it. */
  async store(guest: string, i = 0, patience?: StorePatience): Promise<NodeStore> {
    const access = await issuePass(signerOf(guest), "test-0", Math.floor(Date.now() / 1000));
    const { id, member } = this.inner[i]!;
    return new NodeStore({ kind: "node", id, member, url: this.url, access }, patience);
  }
}

/** A folder whose packs can be made to hang: reads, or opening, then wait for `release`. */
export class HangingStore extends DirectoryStore {
  #gate: Promise<void> | undefined;
  #isShut = false;
  #open: (() => void) | undefined;
  /** Told of every read. */
  onRead: (() => void) | undefined;

  hang(): void {
    this.#gate = new Promise((resolve) => {
      this.#open = resolve;
    });
  }
  hangOpening(): void {
    this.hang();
    this.#isShut = true;
  }
  release(): void {
    this.#open?.();
    this.#gate = undefined;
    this.#isShut = false;
  }

  override async open(objectId: Uint8Array): Promise<StoredPack | undefined> {
    if (this.#isShut) await this.#gate;
    const pack = await super.open(objectId);
    if (pack === undefined) return undefined;
    const read = pack.read.bind(pack);
    pack.read = async (position, into) => {
      this.onRead?.();
      await this.#gate;
      return await read(position, into);
    };
    return pack;
  }
}

/** Somebody of a member; the key says whose. */
export const signerOf = (member: string) => ({
  actor: `doctor-${member}` as ActorId,
  signer: nodeEd25519Signer(new Uint8Array(32).fill(member.length)),
});
