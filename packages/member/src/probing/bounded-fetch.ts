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
  const answer = await ask(input, {
    ...init,
    // A redirection could lead into the asker's own network.
    redirect: "error",
    signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
  });
  onFirst();
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of answer.body ?? []) {
    length += chunk.length;
    // Leaving the loop cancels the rest.
    if (length > maxBytes) throw new Fault("body_too_large", { max: maxBytes });
    chunks.push(chunk);
  }
  return { answer, body: new Uint8Array(Buffer.concat(chunks)) };
}
