/** Fetching from a node that may lie: no answer is longer, or takes longer, than was allowed. Source: CWE-400. */
import { Fault } from "@xinglin/primitives";

/** How long an answer may be and take. */
export interface FetchBounds {
  readonly timeoutMs: number;
  readonly maxBytes: number;
  /** Ends what is under way, too. */
  readonly signal: AbortSignal;
  readonly fetch: typeof fetch;
}

/** A `fetch` whose answers are whole when they come. Rejects with `body_too_large`, or as `fetch` does. */
export const boundedFetch =
  (bounds: FetchBounds): typeof fetch =>
  async (input, init) => {
    const { answer, body } = await fetchBounded(bounds, input, init);
    const { status, headers } = answer;
    return new Response(status === 204 ? null : body, { status, headers });
  };

/** The same, with what a measurement needs: `onFirst` is called when the answer begins. */
export async function fetchBounded(
  { timeoutMs, maxBytes, signal, fetch: ask }: FetchBounds,
  input: Parameters<typeof fetch>[0],
  init: RequestInit | undefined,
  onFirst: () => void = () => {},
): Promise<{ readonly answer: Response; readonly body: Uint8Array<ArrayBuffer> }> {
  const ending = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
  // A redirection could lead into the asker's own network.
  const answer = await ask(input, { ...init, redirect: "error", signal: ending });
  onFirst();
  const chunks: Uint8Array[] = [];
  let length = 0;
  const reader = answer.body?.getReader();
  const stop = (): void => void reader?.cancel().catch(() => {});
  ending.addEventListener("abort", stop, { once: true });
  try {
    for (let part = await reader?.read(); part?.done === false; part = await reader?.read()) {
      length += part.value.length;
      if (length > maxBytes) throw new Fault("body_too_large", { max: maxBytes });
      chunks.push(part.value);
    }
    ending.throwIfAborted();
  } finally {
    ending.removeEventListener("abort", stop);
    stop();
  }
  return { answer, body: new Uint8Array(Buffer.concat(chunks)) };
}
