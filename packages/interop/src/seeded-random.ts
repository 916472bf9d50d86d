/**
 * Random numbers that a seed repeats on every machine, for test data only.
 * Source: Doty-Humphrey, sfc32 (PractRand); Marsaglia, polar method for normal deviates.
 */
import { createHash } from "node:crypto";

export class SeededRandom {
  private a: number;
  private b: number;
  private c: number;
  private counter: number;

  constructor(seed: string | number) {
    const digest = createHash("sha256").update(`xinglin study ${seed}`).digest();
    this.a = digest.readInt32LE(0);
    this.b = digest.readInt32LE(4);
    this.c = digest.readInt32LE(8);
    this.counter = 1;
    for (let i = 0; i < 12; i++) this.next();
  }

  /** Uniform in [0, 1). */
  next(): number {
    const sum = (this.a + this.b + this.counter) | 0;
    this.counter = (this.counter + 1) | 0;
    this.a = this.b ^ (this.b >>> 9);
    this.b = (this.c + (this.c << 3)) | 0;
    this.c = ((this.c << 21) | (this.c >>> 11)) + sum;
    this.c |= 0;
    return (sum >>> 0) / 0x1_0000_0000;
  }

  /** Uniform integer in [0, below). */
  integer(below: number): number {
    return Math.floor(this.next() * below);
  }

  /** Normal deviate with mean 0 and standard deviation 1. */
  normal(): number {
    for (;;) {
      const x = this.next() * 2 - 1;
      const y = this.next() * 2 - 1;
      const square = x * x + y * y;
      if (square > 0 && square < 1) return x * Math.sqrt((-2 * Math.log(square)) / square);
    }
  }
}

/** A UID under 2.25 (a UUID written as a number) that the seed and the name repeat. Source: DICOM PS3.5 B.2. */
export function seededUid(seed: string | number, name: string): string {
  const digest = createHash("sha256").update(`xinglin uid ${seed} ${name}`).digest("hex").slice(0, 32);
  return `2.25.${BigInt(`0x${digest}`)}`;
}
