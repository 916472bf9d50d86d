/**
 * Imported public keys: importing one costs a quarter of verifying with it, or more.
 * Source: design.md, "Suites" (cache keyed by whole bytes and resolved key).
 */
import { type Bytes, Recent } from "@xinglin/primitives";

/** Keys by their bytes, those used lately. */
export class KeyCache<Key extends NonNullable<unknown>> {
  readonly #load: (publicKey: Bytes) => Key;
  readonly #keys: Recent<string, Key>;

  /** `load` imports a key and throws if the bytes are none. */
  constructor(atMost: number, load: (publicKey: Bytes) => Key) {
    this.#load = load;
    this.#keys = new Recent(atMost);
  }

  /** The imported key, or undefined if these bytes are no key. */
  get(publicKey: Bytes): Key | undefined {
    // Latin-1 is the cheapest string that differs wherever bytes do: hexadecimal of an ML-DSA key costs a third of a verification.
    const name = Buffer.from(publicKey.buffer, publicKey.byteOffset, publicKey.byteLength).toString("latin1");
    const known = this.#keys.get(name);
    if (known !== undefined) return known;
    try {
      const key = this.#load(publicKey);
      this.#keys.set(name, key);
      return key;
    } catch {
      return undefined;
    }
  }
}
