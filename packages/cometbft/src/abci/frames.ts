/**
 * Cuts a stream into the messages that CometBFT sends: the length as a varint, then so many bytes of protobuf. Each frame gets a buffer of
 * its own, into which its bytes are copied once, so that what is kept of a request keeps nothing else of the stream.
 * Source: CometBFT v0.40, spec "ABCI, client and server" (socket protocol) and `libs/protoio`.
 */
import { type Bytes, Fault, invariant } from "@xinglin/primitives";

/** Room for a frame of a larger stated length is taken only when this much of it has come. */
const FIRST_BYTES = 65_536;
/** A length takes at most five bytes: it is below 2^35, and every bound is below that. */
const LENGTH_BYTES = 5;
const NOTHING = new Uint8Array(0);

/** A stream that CometBFT would not send. The reason is a constant of this folder, for the log. */
export const malformed = (reason: string): Fault => new Fault("malformed", { reason });

export class FrameReader {
  readonly #maxBytes: number;
  #chunk: Bytes = NOTHING;
  #at = 0;
  /** The length of the frame under way as far as it was read, and how many bytes of it were. */
  #length = 0;
  #lengthBytes = 0;
  #lengthRead = false;
  #frame: Bytes = NOTHING;
  #filled = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Takes what came next; only after `next` found the stream used up. The chunk is not kept. */
  push(chunk: Bytes): void {
    invariant(this.#at === this.#chunk.length, "frames: the chunk before is not used up");
    this.#chunk = chunk;
    this.#at = 0;
  }

  /** The next whole frame, or undefined if more has to come first. Throws `Fault("malformed")`; the stream is of no use afterwards. */
  next(): Bytes | undefined {
    if (!this.#lengthRead && !this.#readLength()) return this.#usedUp();
    this.#fill();
    if (this.#filled < this.#length) return this.#usedUp();
    const frame = this.#frame;
    this.#frame = NOTHING;
    this.#filled = this.#length = this.#lengthBytes = 0;
    this.#lengthRead = false;
    return frame;
  }

  #usedUp(): undefined {
    this.#chunk = NOTHING;
    this.#at = 0;
  }

  #readLength(): boolean {
    for (;;) {
      const byte = this.#chunk[this.#at];
      if (byte === undefined) return false;
      this.#at++;
      this.#length += (byte & 127) * 2 ** (7 * this.#lengthBytes++);
      if (byte < 128) break;
      if (this.#lengthBytes === LENGTH_BYTES) throw malformed("frame_length");
    }
    if (this.#length > this.#maxBytes) throw malformed("frame_size");
    this.#lengthRead = true;
    this.#frame = new Uint8Array(Math.min(this.#length, FIRST_BYTES));
    return true;
  }

  #fill(): void {
    while (this.#filled < this.#length) {
      if (this.#filled === this.#frame.length) {
        const whole = new Uint8Array(this.#length);
        whole.set(this.#frame);
        this.#frame = whole;
      }
      const taken = Math.min(this.#frame.length - this.#filled, this.#chunk.length - this.#at);
      if (taken === 0) return;
      this.#frame.set(this.#chunk.subarray(this.#at, this.#at + taken), this.#filled);
      this.#at += taken;
      this.#filled += taken;
    }
  }
}

/** The varint that goes before a frame of `length` bytes. */
export function frameLength(length: number): Bytes {
  const out: number[] = [];
  let rest = length;
  for (; rest > 127; rest = Math.floor(rest / 128)) out.push((rest % 128) | 128);
  out.push(rest);
  return Uint8Array.from(out);
}
