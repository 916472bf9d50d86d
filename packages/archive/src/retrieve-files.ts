/** Giving back an object as a stream of files, for a gateway that passes them on without a disk of its own. */
import { MessageChannel, type MessagePort } from "node:worker_threads";
import { invariant } from "@xinglin/primitives";
import type { ObjectReference } from "./reference.ts";
import type { RetrieveOptions } from "./retrieve.ts";
import type { Store } from "./store/store.ts";
import { runTask } from "./work/pool.ts";
import type { ReadOutcome } from "./work/read-object.ts";
import type { StreamAnswer, StreamEvent } from "./work/stream-object.ts";

/** A file on its way. Read `content` to its end before asking for the next file; what is left unread is skipped. */
export interface RetrievedFile {
  readonly path: string;
  readonly mediaType: string;
  /** Of the whole file, also if only a range was asked for. */
  readonly sizeBytes: number;
  /** Every byte was checked against the anchored root; the hash of a whole file is checked when the content ends, and may throw then. */
  readonly content: AsyncIterable<Uint8Array>;
}

/**
 * The object's files in order. Every piece is checked before its bytes are given out. Returns, at the end, what reading took; leaving
 * early stops the work. Faults: those of `retrieve` but for the destination's.
 */
export async function* retrieveFiles(
  reference: ObjectReference,
  objectId: Uint8Array,
  key: Uint8Array,
  stores: readonly Store[],
  options: RetrieveOptions = {},
): AsyncGenerator<RetrievedFile, ReadOutcome> {
  const { only, signal, ...work } = options;
  const { port1: port, port2 } = new MessageChannel();
  const left = new AbortController();
  const order = { reference, objectId, stores: stores.map((store) => store.description), contentKey: key, port: port2 };
  const task = runTask(
    "streamObject",
    only === undefined ? order : { ...order, only },
    { ...work, signal: signal === undefined ? left.signal : AbortSignal.any([signal, left.signal]) },
    [port2],
  );
  const inbox = new Inbox(port);
  task.catch((cause: unknown) => inbox.fail(cause));
  try {
    for (let event = await inbox.next(); event.type !== "finished"; event = await inbox.next()) {
      invariant(event.type === "begin", "a file begins before its bytes");
      const { path, mediaType, sizeBytes } = event;
      yield { path, mediaType, sizeBytes, content: inbox.content() };
      for await (const _ of inbox.content()); // what the caller left of it
    }
    return await task;
  } finally {
    left.abort();
    port.postMessage("stop" satisfies StreamAnswer);
    await task.catch(() => undefined);
    port.close();
  }
}

/** Events of a stream in order, each waited for by one reader; a failure of the task ends the waiting. */
class Inbox {
  readonly #port: MessagePort;
  readonly #events: StreamEvent[] = [];
  #failure: { readonly cause: unknown } | undefined;
  #wake: (() => void) | undefined;
  #ended = false;

  constructor(port: MessagePort) {
    this.#port = port;
    port.on("message", (event: StreamEvent) => {
      this.#events.push(event);
      this.#wake?.();
    });
  }

  fail(cause: unknown): void {
    this.#failure = { cause };
    this.#wake?.();
  }

  async next(): Promise<StreamEvent> {
    for (;;) {
      if (this.#failure !== undefined) throw this.#failure.cause;
      const event = this.#events.shift();
      if (event?.type === "begin") this.#ended = false;
      if (event !== undefined) return event;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** The rest of the current file. */
  async *content(): AsyncGenerator<Uint8Array> {
    while (!this.#ended) {
      const event = await this.next();
      if (event.type === "end") this.#ended = true;
      if (event.type !== "bytes") continue;
      this.#port.postMessage("next" satisfies StreamAnswer);
      yield event.bytes;
    }
  }
}
