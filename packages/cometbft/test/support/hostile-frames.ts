/** Frames as nobody should send them, from a seed: right ones damaged, lengths that lie, sheer noise. */
import { frameLength } from "../../src/abci/frames.ts";
import { frameOf } from "./abci-client.ts";
import { rows } from "./method-rows.ts";

const right = Object.values(rows).map(({ ask }) => frameOf(ask));

/** A generator of numbers in [0, below), the same for the same seed. Source: Marsaglia, "Xorshift RNGs" (2003). */
export function numbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

const noise = (next: (below: number) => number, length: number): Uint8Array => Uint8Array.from({ length }, () => next(256));
const framed = (bytes: Uint8Array): Uint8Array => Buffer.concat([frameLength(bytes.length), bytes]);
const pick = (next: (below: number) => number): Uint8Array => Uint8Array.from(right[next(right.length)]!);

/** The ways in which a frame is wrong. */
const ways: readonly ((next: (below: number) => number) => Uint8Array)[] = [
  // A few bits flipped, anywhere.
  (next) => {
    const frame = pick(next);
    for (let i = next(4); i >= 0; i--) frame[next(frame.length)]! ^= 1 << next(8);
    return frame;
  },
  // Cut off, so that what follows is read as its rest.
  (next) => {
    const frame = pick(next);
    return frame.subarray(0, next(frame.length));
  },
  // Noise with the right length before it, and noise alone.
  (next) => framed(noise(next, next(64))),
  (next) => noise(next, 1 + next(32)),
  // A length beyond every bound, and one that never ends.
  (next) => frameLength(2 ** 27 + next(2 ** 31)),
  () => new Uint8Array(11).fill(0xff),
  // Noise as the body of a known kind.
  (next) => {
    const body = noise(next, next(48));
    return framed(Buffer.concat([frameLength(8 * (1 + next(23)) + 2), frameLength(body.length), body]));
  },
  // Groups in groups, as deep as they go.
  (next) => {
    const body = new Uint8Array(1 + next(4_000)).fill(0x0b);
    return framed(Buffer.concat([frameLength(8 * 20 + 2), frameLength(body.length), body]));
  },
];

/** One wrong frame. */
export const hostileFrame = (next: (below: number) => number): Uint8Array => ways[next(ways.length)]!(next);
