/**
 * Whether the owner is at hand. A passkey asks its owner for each signature, so it may sign only while something runs that the owner
 * started; otherwise a reconnection in the night would open a prompt. Source: W3C WebAuthn Level 3, section 5.1.4 (user activation).
 */
import { Fault } from "@xinglin/primitives";

export class Attention {
  #running = 0;
  #queue: Promise<unknown> = Promise.resolve();

  /** Runs what the owner has just asked for; signatures are allowed until it ends. */
  async during<T>(work: () => Promise<T>): Promise<T> {
    this.#running += 1;
    try {
      return await work();
    } finally {
      this.#running -= 1;
    }
  }

  /**
   * Runs `prompt` after the prompts before it, since a browser shows one at a time. Throws `Fault("unlock_needed")` if the owner is not at
   * hand.
   */
  ask<T>(prompt: () => Promise<T>): Promise<T> {
    if (this.#running === 0) return Promise.reject(new Fault("unlock_needed", {}, { retry: true }));
    const answer = this.#queue.then(prompt);
    this.#queue = answer.catch(() => {});
    return answer;
  }
}
