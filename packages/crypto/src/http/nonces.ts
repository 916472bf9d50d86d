/** Nonces of one request key that were used within the window: a request is answered once. Source: RFC 9421 section 7.2.2. */
import { REQUEST_WINDOW_SECONDS } from "./request-signature.ts";

export class Nonces {
  /** In two generations: what is older than two windows can't be replayed, since its `created` is refused. */
  #current = new Set<string>();
  #previous = new Set<string>();
  #since = 0;

  /** Whether `nonce` is new; remembers it. `now` in seconds. */
  use(nonce: string, now: number): boolean {
    const generationSeconds = 2 * REQUEST_WINDOW_SECONDS + 1;
    if (now - this.#since >= generationSeconds) {
      this.#previous = now - this.#since >= 2 * generationSeconds ? new Set() : this.#current;
      this.#current = new Set();
      this.#since = now;
    }
    if (this.#current.has(nonce) || this.#previous.has(nonce)) return false;
    this.#current.add(nonce);
    return true;
  }
}
