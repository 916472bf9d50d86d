/**
 * Blocks on their way into an IPFS node: one CAR in one call, written as blocks come, so that a pack of any size takes no more memory than a few
 * pieces. The node has all of them on its disk when `finish` returns; what keeps them is a pin that is set after that.
 * Source: CAR v1 (header of roots, then length, identifier and bytes of each block); Kubo RPC, `dag/import`.
 */
import { once } from "node:events";
import type { ClientRequest, IncomingMessage } from "node:http";
import { cbor, Fault } from "@xinglin/primitives";
import type { CID } from "multiformats/cid";
import { connectionFault, IpfsRefusal, refusalFault } from "./ipfs-fault.ts";
import { type IpfsRpc, LONG_CALL_MS } from "./ipfs-rpc.ts";

const BOUNDARY = "xinglin-pack-5f0c1d";
const HEAD = `--${BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="pack.car"\r\nContent-Type: application/vnd.ipld.car\r\n\r\n`;
const TAIL = `\r\n--${BOUNDARY}--\r\n`;
/** Bytes that wait for the node before the writer waits, too: enough that a slow node holds up no other at once. */
const WAITING_BYTES = 2_097_152;
/** How long a node may take to accept them. */
const STALL_MS = 60_000;

/** An import under way. */
export class CarUpload {
  readonly #rpc: IpfsRpc;
  readonly #call: ClientRequest;
  readonly #response: Promise<IncomingMessage>;
  #failure: unknown;
  #blocks = 0;

  /** `root` only fills the header: nothing is pinned by it. */
  constructor(rpc: IpfsRpc, root: CID) {
    this.#rpc = rpc;
    this.#call = rpc.begin("dag/import", { "pin-roots": false, stats: true }, `multipart/form-data; boundary=${BOUNDARY}`);
    this.#response = new Promise((resolve, reject) => {
      this.#call.on("response", resolve);
      this.#call.on("error", (cause) => reject(connectionFault(rpc.store, cause)));
    });
    this.#response.then(
      (response) => {
        if (response.statusCode !== 200) this.#failure ??= response; // an answer before the end is a refusal
      },
      (cause: unknown) => {
        this.#failure ??= cause;
      },
    );
    const header = cbor.encode({ roots: [root], version: 1 });
    this.#call.write(HEAD);
    this.#call.write(Buffer.concat([varint(header.length), header]));
  }

  /** Sends one block. `bytes` may be used again when this returns. */
  async add(link: CID, bytes: Uint8Array): Promise<void> {
    await this.#throwFailure();
    this.#blocks++;
    const length = varint(link.bytes.length + bytes.length);
    this.#call.write(Buffer.concat([length, link.bytes, bytes]));
    if (this.#call.writableLength > WAITING_BYTES) await this.#drained();
  }

  /** Ends the import; everything is on the node's disk when this returns. Faults: those of a call, `disk_full`, `store_unwritable`. */
  async finish(): Promise<void> {
    await this.#throwFailure();
    this.#call.end(TAIL);
    this.#call.setTimeout(LONG_CALL_MS, () => this.abort());
    try {
      const lines = await this.#rpc.finish(await this.#response);
      const stats = lines.map((line) => line.Stats as { BlockCount?: number } | undefined).find((found) => found !== undefined);
      if (stats?.BlockCount !== this.#blocks) throw new Fault("ipfs_answer_cut", { store: this.#rpc.store }, { retry: true });
    } catch (cause) {
      throw refusalFault(this.#rpc.store, cause, "writing");
    }
  }

  /** Breaks the import off. Blocks that the node has already are garbage to it. */
  abort(): void {
    this.#failure ??= new Fault("store_unwritable", { store: this.#rpc.store, errno: "broken_off" }, { retry: true });
    this.#call.destroy();
  }

  async #drained(): Promise<void> {
    const waiting = new AbortController();
    const timer = setTimeout(() => waiting.abort(), STALL_MS);
    try {
      await Promise.race([once(this.#call, "drain", { signal: waiting.signal }), this.#response]);
    } catch (cause) {
      if (!waiting.signal.aborted) throw connectionFault(this.#rpc.store, cause);
      this.abort();
      throw new Fault("store_slow", { store: this.#rpc.store }, { retry: true });
    } finally {
      clearTimeout(timer);
      waiting.abort(); // takes the listener away
    }
    await this.#throwFailure();
  }

  async #throwFailure(): Promise<void> {
    if (this.#failure === undefined) return;
    if (this.#failure === (await this.#response.catch(() => undefined))) {
      try {
        await this.#rpc.finish(await this.#response);
        this.#failure = new IpfsRefusal("the import ended early");
      } catch (cause) {
        this.#failure = cause;
      } finally {
        this.#call.destroy();
      }
    }
    throw refusalFault(this.#rpc.store, this.#failure, "writing");
  }
}

/** A number as CAR writes lengths: seven bits a byte, the lowest first. */
function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 0x80);
  bytes.push(rest);
  return Buffer.from(bytes);
}
