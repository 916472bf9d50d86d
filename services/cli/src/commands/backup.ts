/**
 * `xinglin backup|restore`: keys, custodians' shares and ledger of a data folder that is not running. Sealed pieces are not copied: the archive
 * is its own backup, and the read model is rebuilt from the chain. Source: docs/guides/share-a-study.md.
 */
import { createHash } from "node:crypto";
import { cpSync, existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { writeFileDurably } from "@xinglin/custody";
import { Fault, schema } from "@xinglin/primitives";
import { ClassicLevel } from "classic-level";
import type { Command } from "../command.ts";

/** What a backup holds of a data folder. */
const PARTS = ["genesis.cbor", "consortium.json", "story.json", "validator.json", "members", "custodians", "ledger"] as const;
const LIST = "backup.json";

const backupList = schema.object({
  type: schema.oneOf("xinglin-backup/1"),
  files: schema.list(schema.object({ path: schema.text(1024), sha256: schema.text(64, /^[0-9a-f]{64}$/) }), 1_000_000),
});

/** A ledger that is running holds its database's lock; a copy of it would not be consistent. */
async function requireStopped(ledger: string): Promise<void> {
  const database = new ClassicLevel(join(ledger, "ledger.db"));
  try {
    await database.open({ createIfMissing: false });
    await database.close();
  } catch (cause) {
    const { code } = (cause as { cause?: { code?: string } }).cause ?? {};
    throw new Fault(code === "LEVEL_LOCKED" ? "ledger_locked" : "data_folder_unreadable", { path: ledger }, { cause });
  }
}

const sha256 = (path: string): string => createHash("sha256").update(readFileSync(path)).digest("hex");

function filesOf(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .filter((path) => path !== LIST)
    .sort();
}

export const backup: Command = {
  words: "backup",
  options: { to: { type: "string" } },
  async run({ data, need, say }) {
    const to = resolve(need("to"));
    if (!existsSync(join(data, "genesis.cbor"))) throw new Fault("data_folder_unreadable", { path: data });
    if (existsSync(to) && readdirSync(to).length > 0) throw new Fault("destination_exists", { path: to });
    await requireStopped(join(data, "ledger"));
    mkdirSync(to, { recursive: true, mode: 0o700 });
    for (const part of PARTS) if (existsSync(join(data, part))) cpSync(join(data, part), join(to, part), { recursive: true });
    const files = filesOf(to).map((path) => ({ path, sha256: sha256(join(to, path)) }));
    writeFileDurably(join(to, LIST), Buffer.from(`${JSON.stringify({ type: "xinglin-backup/1", files }, undefined, 1)}\n`));
    say.plain("backup.done", { path: to, files: files.length });
  },
};

export const restore: Command = {
  words: "restore",
  options: { from: { type: "string" } },
  async run({ data, need, say }) {
    const from = resolve(need("from"));
    if (existsSync(data) && readdirSync(data).length > 0) throw new Fault("destination_exists", { path: data });
    const files = readList(from);
    const changed = files.find(({ path, sha256: expected }) => !isPlainFile(from, path) || sha256(join(from, path)) !== expected);
    if (changed !== undefined) throw new Fault("backup_damaged", { path: changed.path });
    const partial = `${data}.restoring`;
    rmSync(partial, { recursive: true, force: true });
    mkdirSync(partial, { recursive: true, mode: 0o700 });
    for (const { path } of files) cpSync(join(from, path), join(partial, path));
    rmSync(data, { recursive: true, force: true });
    cpSync(partial, data, { recursive: true });
    rmSync(partial, { recursive: true });
    say.plain("backup.restored", { path: data, files: files.length });
  },
};

/** A list may be hostile: every path stays inside the folder and names a file, not a link. */
function isPlainFile(folder: string, path: string): boolean {
  const inside = !relative(folder, resolve(folder, path)).startsWith("..");
  return inside && lstatSync(join(folder, path), { throwIfNoEntry: false })?.isFile() === true;
}

function readList(from: string) {
  try {
    return backupList.parse(JSON.parse(readFileSync(join(from, LIST), "utf8"))).files;
  } catch (cause) {
    throw new Fault("backup_damaged", { path: LIST }, { cause });
  }
}
