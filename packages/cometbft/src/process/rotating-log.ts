/**
 * A log file that never grows beyond a bound: when it is full it becomes the old one, and the one before is forgotten. Keeps the last lines in
 * memory for who asks why a program ended.
 */
import { createWriteStream, renameSync, statSync, type WriteStream } from "node:fs";

/** Bytes of the file before it becomes the old one. */
const MAX_BYTES = 8 * 1024 * 1024;
const KEPT_LINES = 20;
const LINE_CHARACTERS = 2_000;

export class RotatingLog {
  readonly path: string;
  readonly #maxBytes: number;
  #stream: WriteStream;
  #bytes: number;
  #last: string[] = [];
  #partial = "";

  constructor(path: string, maxBytes = MAX_BYTES) {
    this.path = path;
    this.#maxBytes = maxBytes;
    this.#bytes = sizeOf(path);
    this.#stream = opened(path);
  }

  /** Adds output as it comes; returns the lines that it completes. */
  write(text: string): string[] {
    this.#stream.write(text);
    this.#bytes += Buffer.byteLength(text);
    if (this.#bytes > this.#maxBytes) this.#rotate();
    const lines = (this.#partial + text).split("\n");
    this.#partial = (lines.pop() ?? "").slice(-LINE_CHARACTERS);
    this.#last = [...this.#last, ...lines.map((line) => line.slice(0, LINE_CHARACTERS))].slice(-KEPT_LINES);
    return lines;
  }

  /** The last lines, oldest first. */
  lastLines(): readonly string[] {
    return this.#last;
  }

  close(): Promise<void> {
    return new Promise((resolve) => this.#stream.end(() => resolve()));
  }

  #rotate(): void {
    this.#stream.end();
    renameSync(this.path, `${this.path}.old`);
    this.#stream = opened(this.path);
    this.#bytes = 0;
  }
}

/** A log that cannot be written must not stop what it tells of. */
const opened = (path: string): WriteStream => createWriteStream(path, { flags: "a", mode: 0o600 }).on("error", () => {});

function sizeOf(path: string): number {
  try {
    return statSync(path).size;
  } catch {
    return 0;
  }
}
