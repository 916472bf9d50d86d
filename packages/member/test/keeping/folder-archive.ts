/** Objects on stores in folders, and a keeper over them whose chain is a list: what a round does, without a network. */
import { randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ingest, openStore, type StoreDescription } from "@xinglin/archive";
import {
  type AnchoredObject,
  type ArchiveView,
  type AuditDraw,
  commitmentOf,
  countStatements,
  type StatementCounts,
} from "@xinglin/gateway";
import { type Bytes, type MemberId, toHex } from "@xinglin/primitives";
import { type ArchiveNotice, Keeper, type KeeperOptions } from "../../src/keeping/keeper.ts";
import { Pulse } from "../../src/keeping/pulse.ts";
import { RoundJournal } from "../../src/keeping/round-journal.ts";
import { keepingSettings } from "../../src/keeping/settings.ts";

export const MEMBER = "site-a" as MemberId;
const CODE = { k: 4, m: 2 };

/** As much of an archive as a process needs to open it again. */
interface Content {
  readonly stores: readonly StoreDescription[];
  readonly objects: readonly AnchoredObject[];
}

/** Six stores of six members and some objects of `MEMBER`; the caller removes `folder`. */
export async function makeArchive(objects: number, bytes: number): Promise<{ folder: string } & Content> {
  const folder = mkdtempSync(join(tmpdir(), "xk-"));
  const stores = [..."abcdef"].map((letter) => ({
    kind: "directory" as const,
    id: `site-${letter}-1`,
    member: `site-${letter}`,
    path: join(folder, `store-${letter}`),
  }));
  const opened = stores.map(openStore);
  for (const store of opened) await store.create();
  const anchored: AnchoredObject[] = [];
  for (let i = 0; i < objects; i++) {
    const sealed = await ingest([{ path: "x", content: randomBytes(bytes) }], { stores: opened, code: CODE });
    const { manifest, root, ...rest } = sealed.reference;
    const object = { id: toHex(sealed.objectId), manifest: toHex(manifest), root: toHex(root), ...rest };
    anchored.unshift({ sequence: i, time: i, record: i.toString(16).padStart(32, "0"), source: MEMBER, object });
  }
  writeFileSync(join(folder, "archive.json"), JSON.stringify({ stores, objects: anchored } satisfies Content));
  return { folder, stores, objects: anchored };
}

/** What was recorded, as a chain would have it. */
export interface Recorded extends StatementCounts {
  readonly endangered: number;
  readonly statements: readonly Bytes[];
}

/** A keeper over the archive in `folder`. `onObject` is called before each object is handed out. */
export function keeperOf(
  folder: string,
  {
    onObject = () => {},
    onNotice,
    now = Date.now,
    goneHours = 168,
    isRepaired = () => true,
  }: {
    onObject?: (index: number) => void;
    onNotice?: (notice: ArchiveNotice) => void;
    now?: () => number;
    goneHours?: number;
    isRepaired?: (object: AnchoredObject) => boolean;
  } = {},
): { keeper: Keeper; recorded: Recorded[] } {
  const { stores, objects } = JSON.parse(readFileSync(join(folder, "archive.json"), "utf8")) as Content;
  const recorded: Recorded[] = [];
  const view: ArchiveView = {
    async *objects() {
      for (const [i, object] of objects.entries()) {
        onObject(i);
        yield object;
      }
    },
    hasEnded: async () => false,
    stores: async () => ({ readable: stores.map(openStore), writable: stores.map(openStore) }),
  };
  const secret = Uint8Array.from(randomBytes(32));
  const draw: AuditDraw = { secret, height: 1, hash: commitmentOf(secret) };
  const settings = keepingSettings({ keeping: { percent: 100, goneHours } });
  const state = join(folder, "keeping");
  const options: KeeperOptions = {
    member: MEMBER,
    folder: state,
    audits: join(folder, "audits"),
    settings: settings as NonNullable<typeof settings>,
    journal: new RoundJournal(state),
    pulse: new Pulse(state),
    recorder: {
      draw: () => draw,
      record: async (statements, endangered) => recorded.push({ ...countStatements(statements), endangered, statements }),
    },
    round: async () => ({ chainId: "test-0", scope: "own", view, isLookedAt: () => true, isRepaired }),
    now,
    ...(onNotice === undefined ? {} : { onNotice }),
  };
  return { keeper: new Keeper(options), recorded };
}
