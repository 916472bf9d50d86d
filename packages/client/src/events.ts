/**
 * Live events through `fetch`, since `EventSource` can't sign its request. Reconnects after a break and goes on where it stopped.
 * Source: WHATWG HTML, server-sent events; requirement C10.
 */
import type { ApiClient } from "./api-client.ts";
import type { Identity } from "./identity.ts";

export interface LiveEvent {
  readonly id: string;
  readonly event: string;
  readonly data: unknown;
}

const RETRY_MS = 2_000;

/** Calls `onEvent` for each event that `identity` may see, until `signal` aborts. `onState` tells whether the line is up. */
export async function followEvents(
  client: ApiClient,
  identity: Identity,
  options: { signal: AbortSignal; onEvent: (event: LiveEvent) => void; onState?: (connected: boolean) => void },
): Promise<void> {
  const { signal } = options;
  let lastEventId: string | undefined;
  while (!signal.aborted) {
    try {
      const stream = await client.stream("/v1/events", identity, {
        signal,
        ...(lastEventId === undefined ? {} : { lastEventId }),
      });
      options.onState?.(true);
      for await (const event of parseEvents(stream)) {
        if (event.id !== "") lastEventId = event.id;
        options.onEvent(event);
      }
    } catch {
      // A broken line is expected; what was missed comes after the next connection.
    }
    if (signal.aborted) return;
    options.onState?.(false);
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
}

async function* parseEvents(stream: ReadableStream<Uint8Array>): AsyncGenerator<LiveEvent> {
  const decoder = new TextDecoder();
  const reader = stream.getReader();
  let buffer = "";
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      buffer += decoder.decode(value, { stream: true });
      for (let end = buffer.indexOf("\n\n"); end >= 0; end = buffer.indexOf("\n\n")) {
        const event = parseEvent(buffer.slice(0, end));
        buffer = buffer.slice(end + 2);
        if (event !== undefined) yield event;
      }
    }
  } finally {
    reader.releaseLock();
  }
}

function parseEvent(block: string): LiveEvent | undefined {
  let id = "";
  let event = "message";
  let data = "";
  for (const line of block.split("\n")) {
    if (line.startsWith("id:")) id = line.slice(3).trim();
    else if (line.startsWith("event:")) event = line.slice(6).trim();
    else if (line.startsWith("data:")) data += line.slice(5).trim();
  }
  return data === "" ? undefined : { id, event, data: JSON.parse(data) };
}
