/** Blocks and pins of an IPFS node, one call of its RPC each. Source: Kubo RPC API v0 (`block/*`, `pin/*`). */
import { Fault } from "@xinglin/primitives";
import type { CID } from "multiformats/cid";
import { isRaw, parseLink } from "./ipfs-cid.ts";
import { IpfsRefusal } from "./ipfs-fault.ts";
import { CALL_MS, type IpfsRpc, LONG_CALL_MS } from "./ipfs-rpc.ts";

const BOUNDARY = "xinglin-block-2c9a77";

/** How long a node may say nothing when it is asked for a piece: others have what it takes to compute it. */
const READ_MS = 5_000;

const KEEP_TRIES = 3;

/** How far a pin reaches: over all below it, or over one block. */
export type PinKind = "recursive" | "direct";

/** A pin that was found. */
export interface FoundPin {
  readonly link: CID;
  readonly name: string;
}

/** What a store does with the node behind it. Throws as `IpfsRpc` does. */
export class IpfsBlocks {
  readonly rpc: IpfsRpc;

  constructor(rpc: IpfsRpc) {
    this.rpc = rpc;
  }

  /** Stores one block; it is on the node's disk when this returns. */
  async put(link: CID, bytes: Uint8Array): Promise<void> {
    const head = `--${BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="block"\r\nContent-Type: application/octet-stream\r\n\r\n`;
    const body = Buffer.concat([Buffer.from(head), bytes, Buffer.from(`\r\n--${BOUNDARY}--\r\n`)]);
    const [line] = await this.rpc.call("block/put", {
      query: { "cid-codec": isRaw(link) ? "raw" : "dag-cbor", mhtype: "sha2-256", pin: false },
      body: { type: `multipart/form-data; boundary=${BOUNDARY}`, bytes: body },
    });
    if (line?.Key !== String(link)) throw new Fault("ipfs_answer_foreign", { store: this.rpc.store, status: 200 });
  }

  /**
   * Fills `into` with a block of exactly that length from the node's own disk; false if it has none, or another length. What the bytes are is for the
   * caller to check: a node gives what lies on its disk. With `exchangeMs` the node asks its peers that long for a block that it has not.
   */
  async read(
    link: CID,
    into: Uint8Array,
    { exchangeMs, signal }: { exchangeMs?: number | undefined; signal?: AbortSignal | undefined } = {},
  ): Promise<boolean> {
    const arg = String(link);
    try {
      const query = { arg, offline: true };
      return (await this.rpc.readInto("block/get", { query, signal, waitMs: READ_MS }, into)) === into.length;
    } catch (cause) {
      if (!(cause instanceof IpfsRefusal && cause.isNotFound)) throw cause;
      if (exchangeMs === undefined) return false;
    }
    try {
      const query = { arg, timeout: `${exchangeMs}ms` };
      return (await this.rpc.readInto("block/get", { query, signal, waitMs: exchangeMs + READ_MS }, into)) === into.length;
    } catch (cause) {
      if (cause instanceof IpfsRefusal) return false;
      throw cause;
    }
  }

  /** A block of at most `maxBytes` from the node's own disk, or `undefined` if it has none or a longer one. */
  async get(link: CID, maxBytes: number): Promise<Uint8Array | undefined> {
    const into = new Uint8Array(maxBytes);
    try {
      const length = await this.rpc.readInto("block/get", { query: { arg: String(link), offline: true } }, into);
      return length > maxBytes ? undefined : into.slice(0, length);
    } catch (cause) {
      if (cause instanceof IpfsRefusal && cause.isNotFound) return undefined;
      throw cause;
    }
  }

  /** Whether the node's own disk has a block. */
  async has(link: CID): Promise<boolean> {
    try {
      await this.rpc.call("block/stat", { query: { arg: String(link), offline: true } });
      return true;
    } catch (cause) {
      if (cause instanceof IpfsRefusal && cause.isNotFound) return false;
      throw cause;
    }
  }

  /** Removes a block if no pin keeps it. */
  async remove(link: CID): Promise<void> {
    await this.rpc.call("block/rm", { query: { arg: String(link), force: true }, waitMs: LONG_CALL_MS });
  }

  /** Keeps a block, and all below it if the pin is recursive: then the node has looked that all of it is there. */
  async pin(link: CID, kind: PinKind, name: string, waitMs: number = LONG_CALL_MS): Promise<void> {
    const query = { arg: String(link), recursive: kind === "recursive", name, offline: true, timeout: `${waitMs}ms` };
    await this.rpc.call("pin/add", { query, waitMs: waitMs + CALL_MS });
  }

  /** Stores one block and keeps it. A collector may run just between the two and take it: then it is stored again. */
  async keep(link: CID, bytes: Uint8Array, kind: PinKind, name: string): Promise<void> {
    for (let tries = 1; ; tries++) {
      await this.put(link, bytes);
      try {
        return await this.pin(link, kind, name);
      } catch (cause) {
        if (tries === KEEP_TRIES || !(cause instanceof IpfsRefusal && cause.isNotFound)) throw cause;
      }
    }
  }

  /** Nothing happens if there is no such pin. */
  async unpin(link: CID, kind: PinKind): Promise<void> {
    try {
      await this.rpc.call("pin/rm", { query: { arg: String(link), recursive: kind === "recursive" } });
    } catch (cause) {
      if (!(cause instanceof IpfsRefusal && cause.isNotPinned)) throw cause;
    }
  }

  /** The name of a pin of this kind on this very block, or `undefined` if there is none. Cost: constant. */
  async pinName(link: CID, kind: PinKind): Promise<string | undefined> {
    try {
      const query = { arg: String(link), type: kind, names: true, stream: true };
      const [line] = await this.rpc.call("pin/ls", { query });
      return typeof line?.Name === "string" ? line.Name : "";
    } catch (cause) {
      if (cause instanceof IpfsRefusal && cause.isNotPinned) return undefined;
      throw cause;
    }
  }

  /** Pins whose name begins with `prefix`. Cost: all pins of that kind; direct ones are few. */
  async *pins(kind: PinKind, prefix: string): AsyncGenerator<FoundPin> {
    const query = { type: kind, name: prefix, names: true, stream: true };
    for await (const line of this.rpc.lines("pin/ls", { query, waitMs: LONG_CALL_MS })) {
      const { Cid: text, Name: name } = line;
      if (typeof text !== "string" || typeof name !== "string" || !name.startsWith(prefix)) continue;
      const link = parseLink(text);
      if (link !== undefined) yield { link, name };
    }
  }
}
