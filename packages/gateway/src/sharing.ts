/**
 * Where a member remembers the pixels that it keeps once: a key of its own and the registry, in a folder beside its other secrets. Both are made with
 * the first DICOM import. Source: docs/decisions/0012-shared-pixels.md.
 */
import { existsSync, linkSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { collectShared, SHARING_KEY_BYTES, SharedRegistry, type Store } from "@xinglin/archive";
import { randomBytes } from "@xinglin/crypto";
import { writeFileDurably } from "@xinglin/custody";
import { type Bytes, Fault, fromBase64url, type MemberId, recordId, schema, toBase64url, toHex } from "@xinglin/primitives";
import { isRunning, isVersionAnchored } from "./import-journal.ts";
import { requireOwnerOnly } from "./key-file.ts";

const sharingKeyFile = schema.object({
  type: schema.oneOf("xinglin-sharing-key/1"),
  key: schema.text(43, undefined, 43),
});
const versionName = schema.object({ record: recordId, version: schema.uint(65_535, 1) });

/** What the registry calls a version, so that it can be looked for on the chain. */
export const nameOfVersion = (record: string, version: number): string => `${record}/${version}`;

/** One member's. Nothing is opened or made before it is needed. */
export class Sharing {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Whether this member ever kept pixels here. */
  get exists(): boolean {
    return existsSync(this.#path);
  }

  /** Opens the registry for `work`; makes it if there is none. */
  async with<T>(work: (registry: SharedRegistry) => Promise<T>): Promise<T> {
    const registry = this.#open();
    try {
      return await work(registry);
    } finally {
      registry.close();
    }
  }

  /** As `with`, for a word to a registry that exists; nothing is made for it. */
  tell(say: (registry: SharedRegistry) => void): void {
    if (!this.exists) return;
    const registry = this.#open();
    try {
      say(registry);
    } finally {
      registry.close();
    }
  }

  /** The member's key for shared pixels. Faults: `key_file_open`, `key_file_unreadable`. */
  key(): Bytes {
    const path = join(this.#folder, "key.json");
    if (!existsSync(path)) makeKey(path);
    requireOwnerOnly(path);
    try {
      return fromBase64url(sharingKeyFile.parse(JSON.parse(readFileSync(path, "utf8"))).key);
    } catch {
      throw new Fault("key_file_unreadable", { path }); // without its cause, which could quote the key
    }
  }

  get #path(): string {
    return join(this.#folder, "registry.db");
  }

  #open(): SharedRegistry {
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
    return new SharedRegistry(this.#path);
  }
}

/** Two imports may begin at once: the first key that has its name stays. */
function makeKey(path: string): void {
  const staged = `${path}.${process.pid}`;
  const content = { type: "xinglin-sharing-key/1", key: toBase64url(randomBytes(SHARING_KEY_BYTES)) };
  writeFileDurably(staged, Buffer.from(`${JSON.stringify(content, undefined, 2)}\n`));
  try {
    linkSync(staged, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  } finally {
    rmSync(staged);
  }
}

/** Finds each member's in a data folder. */
export const sharingIn =
  (data: string) =>
  (member: MemberId): Sharing =>
    new Sharing(join(data, "members", member, "shared"));

/**
 * Ends what imports into `data` left that were cut off: pixels of versions that `get` (a reader of the committed state) knows no anchor of are removed,
 * those of others are known from now on. Call it as `ImportJournal.collect`. Returns how many versions were taken back.
 */
export async function collectSharing(
  data: string,
  stores: readonly Store[],
  get: (key: string) => Bytes | undefined,
): Promise<number> {
  let taken = 0;
  for (const member of membersIn(data)) {
    const sharing = sharingIn(data)(member);
    if (!sharing.exists) continue;
    taken += await sharing.with((registry) =>
      collectShared(registry, stores, {
        isRunning,
        isAnchored: ({ name, objectId }) => {
          const [record = "", version = ""] = name.split("/");
          return isVersionAnchored({ ...versionName.parse({ record, version: Number(version) }), object: toHex(objectId) }, get);
        },
      }),
    );
  }
  return taken;
}

function membersIn(data: string): MemberId[] {
  try {
    return readdirSync(join(data, "members")) as MemberId[];
  } catch {
    return []; // no member's keys lie here
  }
}
