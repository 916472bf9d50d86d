/**
 * What an institution remembers of pixels that it shares between versions: where they are kept, by keyed names, and which versions rely on
 * which object. One owner-only database beside the institution's other secrets. It holds no key in the clear and no name of a patient.
 * Source: docs/decisions/0012-shared-pixels.md.
 */
import { closeSync, openSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { cbor, fromHex, toHex } from "@xinglin/primitives";
import type { SharedRegion } from "../file-entry.ts";
import { decodeReference, encodeReference, type ObjectReference } from "../reference.ts";

const OWNER_ONLY = 0o600;

/** Where the pixels of one name are. */
export interface KnownPixels {
  readonly objectId: Uint8Array;
  readonly reference: ObjectReference;
  readonly sealedKey: Uint8Array;
  /** The region's place there; `object` and `at` are the version's to say. */
  readonly place: Pick<SharedRegion, "sizeBytes" | "from" | "segments" | "samples">;
}

/** An open registry. One process at a time writes; others wait for it. Close it after use. */
export class SharedRegistry {
  readonly #database: DatabaseSync;

  constructor(path: string) {
    closeSync(openSync(path, "a", OWNER_ONLY)); // SQLite would make it readable by others
    this.#database = new DatabaseSync(path, { timeout: 10_000 });
    this.#database.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON;
      CREATE TABLE IF NOT EXISTS objects (id TEXT PRIMARY KEY, reference BLOB) STRICT;
      CREATE TABLE IF NOT EXISTS pixels (name TEXT PRIMARY KEY, object TEXT NOT NULL, sealed BLOB NOT NULL, place BLOB NOT NULL) STRICT;
      CREATE INDEX IF NOT EXISTS pixels_of ON pixels (object);
      CREATE TABLE IF NOT EXISTS uses (version TEXT, object TEXT, PRIMARY KEY (version, object)) STRICT;
      CREATE INDEX IF NOT EXISTS uses_of ON uses (object);`);
  }

  /**
   * The pixels of these names that are known, and from now on `version` relies on the objects that keep them: none of them goes away
   * before the version does. One transaction.
   */
  use(version: Uint8Array, names: readonly Uint8Array[]): Map<string, KnownPixels> {
    return this.#atOnce(() => {
      const find = this.#database.prepare(
        "SELECT object, sealed, place, reference FROM pixels JOIN objects ON id = object WHERE name = ? AND reference IS NOT NULL",
      );
      const rely = this.#database.prepare("INSERT OR IGNORE INTO uses VALUES (?, ?)");
      const known = new Map<string, KnownPixels>();
      for (const name of names) {
        const row = find.get(toHex(name)) as
          | { object: string; sealed: Uint8Array; place: Uint8Array; reference: Uint8Array }
          | undefined;
        if (row === undefined) continue;
        rely.run(toHex(version), row.object);
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
      this.#database.prepare("INSERT INTO objects VALUES (?, NULL)").run(toHex(objectId));
      this.#database.prepare("INSERT INTO uses VALUES (?, ?)").run(toHex(version), toHex(objectId));
    });
  }

  /** The object is stored: from now on others may rely on its pixels. */
  stored(
    objectId: Uint8Array,
    reference: ObjectReference,
    pixels: Iterable<Omit<KnownPixels, "objectId" | "reference"> & { readonly name: Uint8Array }>,
  ): void {
    this.#atOnce(() => {
      this.#database.prepare("UPDATE objects SET reference = ? WHERE id = ?").run(encodeReference(reference), toHex(objectId));
      const add = this.#database.prepare("INSERT OR IGNORE INTO pixels VALUES (?, ?, ?, ?)");
      for (const { name, sealedKey, place } of pixels) add.run(toHex(name), toHex(objectId), sealedKey, cbor.encode(place));
    });
  }

  /** Forgets that these versions rely on anything, and at once all pixels of objects that no version relies on any more. Returns those objects. */
  release(versions: Iterable<string>): Uint8Array[] {
    return this.#atOnce(() => {
      const forget = this.#database.prepare("DELETE FROM uses WHERE version = ?");
      for (const version of versions) forget.run(version);
      const unused = "SELECT id FROM objects WHERE id NOT IN (SELECT object FROM uses)";
      this.#database.exec(`DELETE FROM pixels WHERE object IN (${unused})`);
      return this.#database
        .prepare(unused)
        .all()
        .map((row) => fromHex((row as { id: string }).id));
    });
  }

  /** The object's pieces are gone from every store. */
  removed(objectId: Uint8Array): void {
    this.#database.prepare("DELETE FROM objects WHERE id = ?").run(toHex(objectId));
  }

  /** Hex ids of the versions that rely on something. */
  versions(): string[] {
    return this.#database
      .prepare("SELECT DISTINCT version FROM uses")
      .all()
      .map((row) => (row as { version: string }).version);
  }

  /** Objects that are kept for versions, with what an audit needs; one that is being made has no reference yet. */
  objects(): { objectId: Uint8Array; reference: ObjectReference | undefined }[] {
    return this.#database
      .prepare("SELECT id, reference FROM objects")
      .all()
      .map((row) => {
        const { id, reference } = row as { id: string; reference: Uint8Array | null };
        return { objectId: fromHex(id), reference: reference === null ? undefined : decodeReference(reference) };
      });
  }

  close(): void {
    this.#database.close();
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
