/**
 * A round under way, on disk: the draw, and each statement as soon as it is complete. Killed at any moment, what was said stays said, and the rest is looked at when the
 * node is there again. Source: docs/internals/archive.md, "The archive looks after itself".
 */
import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { writeFileDurably } from "@xinglin/custody";
import { type AuditDraw, auditDraw, decodeStatement } from "@xinglin/gateway";
import { type Bytes, cbor, toHex } from "@xinglin/primitives";

const LENGTH_BYTES = 4;
const MAX_DRAW_BYTES = 1_024;

export class RoundJournal {
  readonly #folder: string;
  readonly #draw: string;
  readonly #under: string;
  readonly #done: string;

  /** In a folder of its own, made if need be. */
  constructor(folder: string) {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    this.#folder = folder;
    this.#draw = join(folder, "draw.cbor");
    this.#under = join(folder, "round");
    this.#done = join(folder, "unrecorded");
  }

  /** The draw of the round under way; of a new round the one that `choose` makes. */
  begin(choose: () => AuditDraw): AuditDraw {
    if (existsSync(this.#draw)) {
      try {
        return auditDraw.parse(cbor.decode(Uint8Array.from(readFileSync(this.#draw)), MAX_DRAW_BYTES));
      } catch {
        rmSync(this.#under, { force: true }); // statements under a draw that nobody knows any more
      }
    }
    rmSync(this.#under, { force: true });
    const draw = choose();
    writeFileDurably(this.#draw, Buffer.from(cbor.encode(draw)));
    return draw;
  }

  /** Adds a statement; it is on the disk when this returns. */
  append(statement: Bytes): void {
    const file = openSync(this.#under, "a", 0o600);
    try {
      put(file, statement);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
  }

  /** Statements of the round under way. What was cut off in the middle is dropped, on the disk too, so that the next stands behind whole ones. */
  statements(): Bytes[] {
    const { whole, isCut } = readAll(this.#under);
    if (isCut) this.#write(this.#under, whole);
    return whole;
  }

  /** The round is done: its statements wait to be recorded, behind those that wait already. */
  finish(): void {
    const waiting = this.unrecorded();
    // Killed between the two files, the same statements stand in both.
    const known = new Set(waiting.map((bytes) => toHex(bytes)));
    this.#write(this.#done, [...waiting, ...this.statements().filter((bytes) => !known.has(toHex(bytes)))]);
    rmSync(this.#draw, { force: true });
    rmSync(this.#under, { force: true });
  }

  /** Statements that wait to be recorded. */
  unrecorded(): Bytes[] {
    return readAll(this.#done).whole;
  }

  /** They stand on the chain and are kept elsewhere. */
  recorded(): void {
    rmSync(this.#done, { force: true });
  }

  #write(path: string, statements: readonly Bytes[]): void {
    const temporary = join(this.#folder, "new");
    rmSync(temporary, { force: true });
    const file = openSync(temporary, "wx", 0o600);
    try {
      for (const statement of statements) put(file, statement);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(temporary, path);
  }
}

/** Writes a statement behind its length. */
function put(file: number, statement: Bytes): void {
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeUInt32BE(statement.length);
  const bytes = Buffer.concat([length, statement]);
  for (let done = 0; done < bytes.length; ) done += writeSync(file, bytes, done);
}

function readAll(path: string): { readonly whole: Bytes[]; readonly isCut: boolean } {
  if (!existsSync(path)) return { whole: [], isCut: false };
  const bytes = readFileSync(path);
  const whole: Bytes[] = [];
  let at = 0;
  while (at + LENGTH_BYTES <= bytes.length) {
    const end = at + LENGTH_BYTES + bytes.readUInt32BE(at);
    if (end > bytes.length) break;
    const statement = Uint8Array.from(bytes.subarray(at + LENGTH_BYTES, end));
    try {
      decodeStatement(statement);
    } catch {
      break; // a disk that lost what it had taken: what stands behind is not trusted either
    }
    whole.push(statement);
    at = end;
  }
  return { whole, isCut: at !== bytes.length };
}
