/**
 * Whose objects a lent store keeps, and how many bytes each member has there: a log of lines beside the node's data, read at start. What the
 * store does not have is forgotten then, so a crash between log and store costs nothing.
 * Source: docs/internals/archive.md, "At another member's".
 */
import { type FileHandle, mkdir, open, readFile, rename } from "node:fs/promises";
import { dirname } from "node:path";
import { type Infer, schema } from "@xinglin/primitives";
import { syncFolder } from "../store/durable.ts";

const objectId = schema.text(32, /^[0-9a-f]{32}$/);
const line = schema.variant("is", {
  kept: schema.object({ object: objectId, member: schema.text(32), bytes: schema.uint() }),
  begun: schema.object({ object: objectId, member: schema.text(32) }),
  gone: schema.object({ object: objectId }),
});
type Line = Infer<typeof line>;

/** An object of a member at this store. */
export interface Loan {
  readonly member: string;
  readonly bytes: number;
}

/** The loans of one store. */
export class Loans {
  readonly #kept = new Map<string, Loan>();
  /** Who began an import or repair that may not have ended. */
  readonly #begun = new Map<string, string>();
  readonly #used = new Map<string, number>();
  readonly #file: FileHandle;

  /** Reads the log at `path`, or begins one. `held` are the objects that the store has, if it is there to say. */
  static async open(path: string, held: ReadonlySet<string> | undefined): Promise<Loans> {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    const kept = new Map<string, Line>();
    const begun = new Map<string, Line>();
    const text = await readFile(path, "utf8").catch(() => "");
    for (const one of text.split("\n")) {
      const entry = parse(one);
      if (entry === undefined) continue;
      if (entry.is !== "begun") kept.delete(entry.object);
      begun.delete(entry.object);
      if (entry.is === "kept" && held?.has(entry.object) !== false) kept.set(entry.object, entry);
      if (entry.is === "begun") begun.set(entry.object, entry);
    }
    const lines = [...kept.values(), ...begun.values()];
    const fresh = `${path}.new`;
    const file = await open(fresh, "w", 0o600);
    await file.writeFile(lines.map((entry) => `${JSON.stringify(entry)}\n`).join(""));
    await file.sync();
    await rename(fresh, path);
    await syncFolder(dirname(path));
    return new Loans(file, lines);
  }

  private constructor(file: FileHandle, lines: readonly Line[]) {
    this.#file = file;
    for (const entry of lines) this.#take(entry);
  }

  of(object: string): Loan | undefined {
    return this.#kept.get(object);
  }
  begunBy(object: string): string | undefined {
    return this.#begun.get(object);
  }
  usedBy(member: string): number {
    return this.#used.get(member) ?? 0;
  }
  /** Members with something here, and what. */
  get members(): readonly { readonly member: string; readonly bytes: number }[] {
    return [...this.#used].map(([member, bytes]) => ({ member, bytes }));
  }

  /** A member begins to write an object. */
  async begin(object: string, member: string): Promise<void> {
    await this.#write({ is: "begun", object, member });
  }
  /** An object of `member` is about to be published; returns when that is on disk. */
  async keep(object: string, loan: Loan): Promise<void> {
    await this.#write({ is: "kept", object, ...loan });
    await this.#file.datasync();
  }
  async forget(object: string): Promise<void> {
    if (this.#kept.has(object) || this.#begun.has(object)) await this.#write({ is: "gone", object });
  }
  async close(): Promise<void> {
    await this.#file.close();
  }

  async #write(entry: Line): Promise<void> {
    this.#take(entry);
    await this.#file.appendFile(`${JSON.stringify(entry)}\n`);
  }

  #take(entry: Line): void {
    const { object } = entry;
    const before = this.#kept.get(object);
    if (entry.is !== "begun" && before !== undefined) {
      this.#used.set(before.member, this.usedBy(before.member) - before.bytes);
      this.#kept.delete(object);
    }
    this.#begun.delete(object);
    if (entry.is === "begun") this.#begun.set(object, entry.member);
    if (entry.is !== "kept") return;
    this.#kept.set(object, { member: entry.member, bytes: entry.bytes });
    this.#used.set(entry.member, this.usedBy(entry.member) + entry.bytes);
  }
}

/** A line that was cut off by a crash is none. */
function parse(text: string): Line | undefined {
  try {
    return line.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}
