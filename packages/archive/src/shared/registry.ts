/**
 * What an institution remembers of pixels that it shares between versions: where they are kept, by keyed names, and which versions rely on
 * which object. One owner-only database beside the institution's other secrets. It holds no key in the clear and no name of a patient.
 *
 *     versions   begun → anchored → ended        what was begun and came to nothing leaves no row
 *     objects    made → kept → gone              kept: on the chain. Only pixels of kept objects are found again
 *
 * Rows of ended versions and gone objects stay, so that an end that is certified again says the same.
 * Source: docs/decisions/0012-shared-pixels.md.
 */
import { closeSync, openSync } from "node:fs";
import { DatabaseSync, type SQLInputValue } from "node:sqlite";
import { cbor, fromHex, toHex } from "@xinglin/primitives";
import type { SharedRegion } from "../file-entry.ts";
import { decodeReference, encodeReference, type ObjectReference } from "../reference.ts";

const OWNER_ONLY = 0o600;
const WAIT_MS = 10_000;
/** Whether a version that has not ended relies on the object. */
const IN_USE =
  "EXISTS (SELECT 1 FROM uses JOIN versions ON versions.id = version WHERE object = objects.id AND state <> 'ended')";
const OBJECTS = `SELECT id, reference, stage, held, ${IN_USE} AS used FROM objects`;

/** Where the pixels of one name are. */
export interface KnownPixels {
  readonly objectId: Uint8Array;
  readonly reference: ObjectReference;
  readonly sealedKey: Uint8Array;
  /** The region's place there; `object` and `at` are the version's to say. */
  readonly place: Pick<SharedRegion, "sizeBytes" | "from" | "segments" | "samples">;
}

/** A version that was begun and is not known to be anchored. */
export interface BegunVersion {
  readonly objectId: Uint8Array;
  /** What the caller calls it. */
  readonly name: string;
  /** Whose process began it. */
  readonly process: number;
}

/** An object that versions rely on, or relied on. */
export interface SharedState {
  readonly objectId: Uint8Array;
  /** Of one that is being made, none yet. */
  readonly reference?: ObjectReference;
  readonly state: "made" | "kept" | "gone";
  /** Whether a version relies on it that has not ended. */
  readonly inUse: boolean;
  /** Versions that this registry does not know may rely on it: it is never dropped. */
  readonly held: boolean;
}

/** An open registry. One process at a time writes; others wait for it. Close it after use. */
export class SharedRegistry {
  readonly #database: DatabaseSync;

  constructor(path: string) {
    closeSync(openSync(path, "a", OWNER_ONLY)); // SQLite would make it readable by others
    this.#database = new DatabaseSync(path, { timeout: WAIT_MS });
    this.#database.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON;
      CREATE TABLE IF NOT EXISTS objects (id TEXT PRIMARY KEY, reference BLOB, stage TEXT NOT NULL, held INTEGER NOT NULL) STRICT;
      CREATE TABLE IF NOT EXISTS pixels (name TEXT, object TEXT, sealed BLOB NOT NULL, place BLOB NOT NULL, PRIMARY KEY (name, object)) STRICT;
      CREATE INDEX IF NOT EXISTS pixels_of ON pixels (object);
      CREATE TABLE IF NOT EXISTS versions (id TEXT PRIMARY KEY, name TEXT NOT NULL, process INTEGER NOT NULL, state TEXT NOT NULL) STRICT;
      CREATE INDEX IF NOT EXISTS versions_begun ON versions (id) WHERE state = 'begun';
      CREATE TABLE IF NOT EXISTS uses (version TEXT, object TEXT, PRIMARY KEY (version, object)) STRICT;
      CREATE INDEX IF NOT EXISTS uses_of ON uses (object);
      CREATE TABLE IF NOT EXISTS seen (one INTEGER PRIMARY KEY CHECK (one = 1), entry INTEGER NOT NULL) STRICT;`);
  }

  /** Writes down that a version is being made, before anything of it is on a store. `name` is what the caller will find it by on the chain. */
  note(version: Uint8Array, name: string): void {
    this.#run("INSERT INTO versions VALUES (?, ?, ?, 'begun')", toHex(version), name, process.pid);
  }

  /**
   * The pixels of these names that are known, and from now on `version`, which was noted, relies on the objects that keep them: none of
   * them goes away before the version does. One transaction.
   */
  use(version: Uint8Array, names: readonly Uint8Array[]): Map<string, KnownPixels> {
    return this.#atOnce(() => {
      const find = this.#database.prepare(
        "SELECT object, sealed, place, reference FROM pixels JOIN objects ON id = object WHERE name = ? AND stage = 'kept' LIMIT 1",
      );
      const known = new Map<string, KnownPixels>();
      for (const name of names) {
        const row = find.get(toHex(name)) as
          | { object: string; sealed: Uint8Array; place: Uint8Array; reference: Uint8Array }
          | undefined;
        if (row === undefined) continue;
        this.#run("INSERT OR IGNORE INTO uses VALUES (?, ?)", toHex(version), row.object);
        known.set(toHex(name), {
          objectId: fromHex(row.object),
          reference: decodeReference(row.reference),
          sealedKey: row.sealed,
          place: cbor.decodeTrusted(row.place) as KnownPixels["place"],
        });
      }
      return known;
    });
  }

  /** Writes down that `version` is about to make `objectId`: a crash from now on leaves nothing that `collectShared` does not know. */
  begin(version: Uint8Array, objectId: Uint8Array): void {
    this.#atOnce(() => {
      this.#run("INSERT INTO objects VALUES (?, NULL, 'made', 0)", toHex(objectId));
      this.#run("INSERT INTO uses VALUES (?, ?)", toHex(version), toHex(objectId));
    });
  }

  /** The object is stored. Others may rely on its pixels once the version that made it is anchored. */
  stored(
    objectId: Uint8Array,
    reference: ObjectReference,
    pixels: Iterable<Omit<KnownPixels, "objectId" | "reference"> & { readonly name: Uint8Array }>,
  ): void {
    this.#atOnce(() => {
      this.#run("UPDATE objects SET reference = ? WHERE id = ?", encodeReference(reference), toHex(objectId));
      for (const { name, sealedKey, place } of pixels)
        this.#run("INSERT INTO pixels VALUES (?, ?, ?, ?)", toHex(name), toHex(objectId), sealedKey, cbor.encode(place));
    });
  }

  /** The version is on the chain, and with it what it made: from now on others may rely on that. */
  anchored(version: Uint8Array): void {
    this.#atOnce(() => {
      this.#run("UPDATE versions SET state = 'anchored' WHERE id = ? AND state = 'begun'", toHex(version));
      const made = "stage = 'made' AND reference IS NOT NULL AND id IN (SELECT object FROM uses WHERE version = ?)";
      this.#run(`UPDATE objects SET stage = 'kept' WHERE ${made}`, toHex(version));
    });
  }

  /** The version came to nothing: forgotten, and what it alone made is not in use any more. */
  discard(version: Uint8Array): void {
    this.#atOnce(() => {
      this.#run(
        "DELETE FROM uses WHERE version = ? AND version IN (SELECT id FROM versions WHERE state = 'begun')",
        toHex(version),
      );
      this.#run("DELETE FROM versions WHERE id = ? AND state = 'begun'", toHex(version));
      this.#forgetUnused();
    });
  }

  /** These versions were destroyed. Pixels that no other version relies on are forgotten at once, with every sealed key. */
  end(versions: readonly Uint8Array[]): void {
    this.#atOnce(() => {
      for (const version of versions) this.#run("UPDATE versions SET state = 'ended' WHERE id = ?", toHex(version));
      this.#forgetUnused();
    });
  }

  /** The chain says that the object was dropped, so this registry is an old copy; or too little of it is left: nothing new may rely on it, `version` neither. */
  lost(objectId: Uint8Array, version: Uint8Array): void {
    this.#atOnce(() => {
      this.#run("DELETE FROM pixels WHERE object = ?", toHex(objectId));
      this.#run("DELETE FROM uses WHERE object = ? AND version = ?", toHex(objectId), toHex(version));
    });
  }

  /** The object's pieces are gone from every store. */
  removed(objectId: Uint8Array): void {
    this.#atOnce(() => {
      this.#run("DELETE FROM objects WHERE id = ? AND stage = 'made'", toHex(objectId));
      this.#run("UPDATE objects SET stage = 'gone' WHERE id = ?", toHex(objectId));
    });
  }

  /** Versions that were begun, in no order. */
  begun(): BegunVersion[] {
    const rows = this.#all("SELECT id, name, process FROM versions WHERE state = 'begun'");
    return rows.map(({ id, name, process }) => ({
      objectId: fromHex(id as string),
      name: name as string,
      process: process as number,
    }));
  }

  /** Whether the version is written down here. */
  knows(version: Uint8Array): boolean {
    return this.#all("SELECT 1 FROM versions WHERE id = ?", toHex(version)).length > 0;
  }

  /** Objects that these versions rely on, or relied on; without versions, all. */
  objects(versions?: readonly Uint8Array[]): SharedState[] {
    if (versions === undefined) return this.#states(this.#all(OBJECTS));
    return this.#states(
      versions.flatMap((version) =>
        this.#all(`${OBJECTS} WHERE id IN (SELECT object FROM uses WHERE version = ?)`, toHex(version)),
      ),
    );
  }

  #states(rows: Record<string, unknown>[]): SharedState[] {
    const found = new Map(rows.map((row) => [row.id as string, row]));
    return [...found].map(([id, { reference, stage, held, used }]) => ({
      objectId: fromHex(id),
      ...(reference === null ? {} : { reference: decodeReference(reference as Uint8Array) }),
      state: stage as SharedState["state"],
      inUse: used === 1,
      held: held === 1,
    }));
  }

  /** Objects that no version relies on any more and that are not gone yet. */
  unused(): SharedState[] {
    return this.#states(this.#all(`${OBJECTS} WHERE stage <> 'gone' AND NOT ${IN_USE}`));
  }

  /** The entry of the log up to which every version of the institution's is accounted for; undefined at first. */
  get seen(): number | undefined {
    return this.#all("SELECT entry FROM seen")[0]?.entry as number | undefined;
  }

  /**
   * Every version of the institution's up to `entry` was looked for here. With `unknown`, some were not found: this is an old copy, or not the only
   * registry, and what there is now is never dropped. Of `plain` versions, which rely on nothing, no more need be known.
   */
  accounted(entry: number, { unknown, plain }: { readonly unknown: boolean; readonly plain: readonly Uint8Array[] }): void {
    this.#atOnce(() => {
      if (unknown) this.#run("UPDATE objects SET held = 1");
      const idle = "id = ? AND state = 'anchored' AND id NOT IN (SELECT version FROM uses)";
      for (const version of plain) this.#run(`DELETE FROM versions WHERE ${idle}`, toHex(version));
      this.#run("INSERT INTO seen VALUES (1, ?) ON CONFLICT (one) DO UPDATE SET entry = excluded.entry", entry);
    });
  }

  close(): void {
    this.#database.close();
  }

  #forgetUnused(): void {
    this.#run(`DELETE FROM pixels WHERE object IN (SELECT id FROM objects WHERE stage <> 'gone' AND NOT ${IN_USE})`);
  }

  #run(statement: string, ...values: SQLInputValue[]): void {
    this.#database.prepare(statement).run(...values);
  }

  #all(statement: string, ...values: SQLInputValue[]): Record<string, unknown>[] {
    return this.#database.prepare(statement).all(...values) as Record<string, unknown>[];
  }

  #atOnce<T>(work: () => T): T {
    this.#database.exec("BEGIN IMMEDIATE");
    try {
      const result = work();
      this.#database.exec("COMMIT");
      return result;
    } catch (cause) {
      this.#database.exec("ROLLBACK");
      throw cause;
    }
  }
}
