/** Packs on a store of another member: one being written, streamed in parts, and one that is published. */
import { schema } from "@xinglin/primitives";
import { MAX_DOCUMENT_BYTES, MAX_PART_BYTES } from "../lending/wire.ts";
import type { NodeConnection } from "./node-connection.ts";
import type { DocumentName, StagedPack, StoredPack } from "./store.ts";

/** Parts of a pack that is written: one is on its way while the next one fills. */
const PART_BYTES = 1024 * 1024;

/** Whoever asked has left: the reading was no longer wanted. */
export const isAbort = (error: unknown): boolean => error instanceof Error && error.name === "AbortError";

/** A pack being written. Pieces that follow each other travel together. */
export class NodeStagedPack implements StagedPack {
  readonly #connection: NodeConnection;
  readonly #path: string;
  readonly #pending: Uint8Array[] = [];
  #from = 0;
  #bytes = 0;
  #onTheWay: Promise<unknown> = Promise.resolve();

  constructor(connection: NodeConnection, stage: string) {
    this.#connection = connection;
    this.#path = `/stages/${stage}`;
  }

  async write(position: number, bytes: Uint8Array): Promise<void> {
    if (this.#bytes > 0 && position !== this.#from + this.#bytes) await this.#send();
    if (this.#bytes === 0) this.#from = position;
    // The caller uses its buffer again as soon as this returns.
    this.#pending.push(Uint8Array.from(bytes));
    this.#bytes += bytes.length;
    if (this.#bytes >= PART_BYTES) await this.#send();
  }

  async writeDocument(name: DocumentName, bytes: Uint8Array): Promise<void> {
    if (bytes.length > MAX_DOCUMENT_BYTES) throw this.#connection.fault("body_too_large");
    await this.#connection.ask({ method: "PUT", path: `${this.#path}/documents/${name}`, body: bytes, settles: true });
  }

  async settle(): Promise<void> {
    await this.#send();
    await this.#onTheWay;
    await this.#connection.ask({ method: "POST", path: `${this.#path}/settle`, settles: true });
  }

  async publish(): Promise<void> {
    await this.#connection.ask({ method: "POST", path: `${this.#path}/publish`, settles: true });
  }

  async discard(): Promise<void> {
    await this.#onTheWay.catch(() => undefined);
    await this.#connection.ask({ method: "DELETE", path: this.#path, settles: true });
  }

  /** Sends what is pending once the part before it has arrived. */
  async #send(): Promise<void> {
    if (this.#bytes === 0) return;
    await this.#onTheWay;
    const position = this.#from;
    const parts = cut(Buffer.concat(this.#pending.splice(0)));
    this.#bytes = 0;
    this.#onTheWay = (async () => {
      let at = position;
      for (const body of parts) {
        await this.#connection.ask({ method: "PUT", path: `${this.#path}/pieces?at=${at}`, body });
        at += body.length;
      }
    })();
    this.#onTheWay.catch(() => undefined); // heard by whoever writes or settles next
  }
}

function cut(bytes: Uint8Array): Uint8Array[] {
  const parts: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += MAX_PART_BYTES) parts.push(bytes.subarray(at, at + MAX_PART_BYTES));
  return parts;
}

const lengthOf = schema.uint();

/** A published pack. */
export class NodeStoredPack implements StoredPack {
  readonly slot: number;
  readonly #connection: NodeConnection;
  readonly #path: string;

  constructor(connection: NodeConnection, objectIdHex: string, slot: number) {
    this.#connection = connection;
    this.#path = `/objects/${objectIdHex}`;
    this.slot = slot;
  }

  async read(position: number, into: Uint8Array, signal?: AbortSignal): Promise<boolean> {
    for (let done = 0; done < into.length; ) {
      const length = Math.min(MAX_PART_BYTES, into.length - done);
      const bytes = await this.#connection.ask({
        method: "GET",
        path: `${this.#path}/pieces?at=${position + done}&length=${length}`,
        maxBytes: length,
        ...(signal === undefined ? {} : { signal }),
      });
      if (bytes.length > length) throw this.#connection.fault("store_answer_wrong");
      into.set(bytes, done);
      if (bytes.length < length) return false;
      done += length;
    }
    return true;
  }

  async readDocument(name: DocumentName, maxBytes: number): Promise<Uint8Array | undefined> {
    const most = Math.min(maxBytes, MAX_DOCUMENT_BYTES);
    const path = `${this.#path}/documents/${name}?max=${lengthOf.parse(most)}`;
    const answer = await this.#connection.ask({ method: "GET", path, maxBytes: most + 1 });
    // The first byte says whether there is one: an empty document is none less a document.
    if (answer.length === 0 || answer[0] === 0) return undefined;
    return new Uint8Array(answer.subarray(1));
  }

  async rewrite(position: number, bytes: Uint8Array): Promise<void> {
    await this.#connection.ask({ method: "PUT", path: `${this.#path}/pieces?at=${position}`, body: bytes });
  }

  async rewriteDocument(name: DocumentName, bytes: Uint8Array): Promise<void> {
    if (bytes.length > MAX_DOCUMENT_BYTES) throw this.#connection.fault("body_too_large");
    await this.#connection.ask({ method: "PUT", path: `${this.#path}/documents/${name}`, body: bytes, settles: true });
  }

  async settle(length: number): Promise<void> {
    await this.#connection.ask({ method: "POST", path: `${this.#path}/settle?length=${length}`, settles: true });
  }

  async close(): Promise<void> {
    // Nothing is held open at the other side.
  }
}
