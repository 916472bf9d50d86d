/**
 * A log file that never grows beyond a bound: when it is full it becomes the old one, and the one before is forgotten. Keeps the last lines in
 * memory for who asks why a program ended.
 */
import { closeSync, openSync, renameSync, statSync, writeSync } from "node:fs";

/** Bytes of the file before it becomes the old one. */
const MAX_BYTES = 8 * 1024 * 1024;
const KEPT_LINES = 20;
const LINE_CHARACTERS = 2_000;

export class RotatingLog {
  readonly path: string;
  readonly #maxBytes: number;
  #file: number | undefined;
  #bytes: number;
  #last: string[] = [];
  #partial = "";

  constructor(path: string, maxBytes = MAX_BYTES) {
    this.path = path;
    this.#maxBytes = maxBytes;
    this.#bytes = sizeOf(path);
    this.#file = opened(path);
  }

  /** Adds output as it comes; returns the lines that it completes. */
  write(text: string): string[] {
    this.#append(text);
    const lines = (this.#partial + text).split("\n");
    this.#partial = (lines.pop() ?? "").slice(-LINE_CHARACTERS);
    this.#last = [...this.#last, ...lines.map((line) => line.slice(0, LINE_CHARACTERS))].slice(-KEPT_LINES);
    return lines;
  }

  /** The last lines, oldest first. */
  lastLines(): readonly string[] {
    return this.#last;
  }

  close(): void {
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
  }

  /** A log that cannot be written, for want of room perhaps, must not stop what it tells of. */
  #append(text: string): void {
    if (this.#file === undefined) return;
    try {
      this.#bytes += writeSync(this.#file, text);
      if (this.#bytes <= this.#maxBytes) return;
      this.close();
      renameSync(this.path, `${this.path}.old`);
      this.#file = opened(this.path);
      this.#bytes = 0;
    } catch {
      // What it would have said is lost; the last lines are still at hand.
    }
  }
}

function opened(path: string): number | undefined {
  try {
    return openSync(path, "a", 0o600);
  } catch {
    return undefined;
  }
}

function sizeOf(path: string): number {
  try {
    return statSync(path).size;
  } catch {
    return 0;
  }
}
