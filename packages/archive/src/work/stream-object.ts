/** Reading an object to the main thread, file by file: buffers are handed over, not copied, and few are ever on their way. */
import type { MessagePort } from "node:worker_threads";
import { Fault } from "@xinglin/primitives";
import type { FileEntry } from "../file-entry.ts";
import { CHUNK_BYTES } from "../layout.ts";
import { type FileSink, type ReadOrder, type ReadOutcome, readObject } from "./read-object.ts";
import type { TaskContext } from "./tasks.ts";

/** A reading that goes through `port`. */
export interface StreamOrder extends ReadOrder {
  readonly port: MessagePort;
}

/** What comes through the port. The reader answers each `bytes` with `"next"`, or says `"stop"`. */
export type StreamEvent =
  | { readonly type: "begin"; readonly path: string; readonly mediaType: string; readonly sizeBytes: number }
  | { readonly type: "bytes"; readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly type: "end" }
  | { readonly type: "finished" };
export type StreamAnswer = "next" | "stop";

/** Chunks on their way at once: enough to keep both threads at work, 4 MiB at most. */
const WINDOW = 16;

/** Reads into a port. Faults: those of `readObject`. */
export async function streamObject(order: StreamOrder, context: TaskContext): Promise<ReadOutcome> {
  const sink = new PortSink(order.port);
  try {
    const outcome = await readObject(order, sink, context);
    order.port.postMessage({ type: "finished" } satisfies StreamEvent);
    return outcome;
  } finally {
    order.port.close();
  }
}

class PortSink implements FileSink {
  readonly #port: MessagePort;
  #onTheWay = 0;
  #stopped = false;
  #wake: (() => void) | undefined;

  constructor(port: MessagePort) {
    this.#port = port;
    port.on("message", (answer: StreamAnswer) => {
      if (answer === "stop") this.#stopped = true;
      else this.#onTheWay--;
      this.#wake?.();
    });
  }

  begin({ path, mediaType, sizeBytes }: FileEntry): void {
    this.#say({ type: "begin", path, mediaType, sizeBytes });
  }

  async write(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length; at += CHUNK_BYTES) await this.#send(bytes.subarray(at, at + CHUNK_BYTES));
  }

  async #send(bytes: Uint8Array): Promise<void> {
    while (this.#onTheWay >= WINDOW && !this.#stopped)
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    if (this.#stopped) throw new Fault("aborted");
    this.#onTheWay++;
    // A chunk with more than one file in it is still needed here: only a buffer that is all of this part can be handed over.
    const whole = bytes.byteLength === bytes.buffer.byteLength;
    const own = whole ? new Uint8Array(bytes.buffer as ArrayBuffer) : Uint8Array.from(bytes);
    this.#port.postMessage({ type: "bytes", bytes: own } satisfies StreamEvent, [own.buffer]);
  }

  end(): void {
    this.#say({ type: "end" });
  }

  #say(event: StreamEvent): void {
    this.#port.postMessage(event);
  }
}
