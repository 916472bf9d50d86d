/** One sleeper that an event or the time wakes. A call while nobody sleeps is remembered for the next. Source: design.md, "Drivers" (solo). */
export class Wake {
  #wake: (() => void) | undefined;
  #called = false;

  up(): void {
    this.#called = true;
    this.#wake?.();
  }

  /** Sleeps until `up` is called or `timeoutMs` have passed; tells which. */
  async wait(timeoutMs: number): Promise<"called" | "timeout"> {
    if (!this.#called) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, timeoutMs);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      this.#wake = undefined;
    }
    const called = this.#called;
    this.#called = false;
    return called ? "called" : "timeout";
  }
}
