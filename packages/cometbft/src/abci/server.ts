/**
 * The socket over which CometBFT asks the application. It listens for this machine only: on a Unix socket in a folder that nobody else
 * can enter, or on 127.0.0.1. What comes over it can close a connection, never stop the server; only a handler's bug does.
 * Source: CometBFT v0.40, spec "ABCI, client and server"; design.md, "Drivers".
 */
import { createServer, type Server, type Socket } from "node:net";
import { invariant } from "@xinglin/primitives";
import { Connection, type ConnectionOwner } from "./connection.ts";
import type { Kind } from "./envelope.ts";
import type { AbciHandlers } from "./handlers.ts";
import { claimSocketPath, listenFault } from "./socket-path.ts";

/** The largest block that governance may allow (64 MiB), with its commit, and every snapshot chunk that CometBFT carries. */
export const DEFAULT_MAX_FRAME_BYTES = 65 * 2 ** 20;
/** As many requests as CometBFT's client queues. */
const DEFAULT_MAX_PENDING = 256;
/** CometBFT opens four; a few more while it is started again. */
const MAX_CONNECTIONS = 16;
const LOOPBACK = "127.0.0.1";

/** What happened on the socket, for the log. */
export interface AbciEvent {
  readonly event: "abci_connected" | "abci_disconnected" | "abci_turned_away" | "abci_closing";
  /** Counts the connections of this server, from 1. */
  readonly connection: number;
  /** Of `abci_closing`: the code of the `Fault`. */
  readonly code?: string;
  /** Of `abci_closing`: what was malformed, or which method could not answer. */
  readonly about?: string;
}

/** How the server listens, and what it bears. */
export interface AbciServerOptions {
  /** A Unix socket's path, or a port of 127.0.0.1 (0: any free one). */
  readonly at: { readonly path: string } | { readonly port: number };
  /** Above it a request closes its connection; at least the largest block and its commit. */
  readonly maxFrameBytes?: number;
  /** Requests that one connection may have waiting for their answers; it is not read from beyond. */
  readonly maxPending?: number;
  readonly onEvent?: (event: AbciEvent) => void;
}

/** The ABCI 2.0 server of CometBFT v0.40's socket protocol. */
export class AbciServer {
  /** Rejects with what a handler threw that was no `Fault`; the server has stopped then. Never resolves. */
  readonly failed: Promise<never>;
  readonly #fail: (error: unknown) => void;
  readonly #handlers: AbciHandlers;
  readonly #options: AbciServerOptions;
  readonly #server: Server;
  readonly #connections = new Set<Connection>();
  /** Calls of connections that are closed already. */
  readonly #orphans = new Set<Promise<void>>();
  #count = 0;
  #stopped = false;

  constructor(handlers: AbciHandlers, options: AbciServerOptions) {
    this.#handlers = handlers;
    this.#options = options;
    const { promise, reject } = Promise.withResolvers<never>();
    this.failed = promise;
    this.#fail = reject;
    promise.catch(() => undefined); // whoever wants to know listens; nobody has to
    this.#server = createServer({ noDelay: true }, (socket) => this.#accept(socket));
    this.#server.maxConnections = MAX_CONNECTIONS;
    this.#server.on("drop", () => this.#options.onEvent?.({ event: "abci_turned_away", connection: ++this.#count }));
  }

  /**
   * Begins to listen. Rejects with `Fault`: `engine_socket_taken` (a running server has it), `engine_socket_folder` (others can enter it),
   * `engine_socket_path` (longer than the system allows), `port_in_use`, `engine_socket_failed`.
   */
  async listen(): Promise<void> {
    const { at } = this.#options;
    if ("path" in at) await claimSocketPath(at.path);
    await new Promise<void>((resolve, reject) => {
      const refuse = (error: NodeJS.ErrnoException): void => reject(listenFault(error, at));
      this.#server.once("error", refuse);
      this.#server.listen("path" in at ? { path: at.path } : { host: LOOPBACK, port: at.port }, () => {
        this.#server.off("error", refuse);
        // Accepting may fail later, for want of file handles; the next connection may work.
        this.#server.on("error", () => undefined);
        resolve();
      });
    });
  }

  /** Where it listens, as CometBFT's `proxy_app` takes it: `unix://…` or `tcp://127.0.0.1:…`. */
  get address(): string {
    const bound = this.#server.address();
    invariant(bound !== null, "abci: not listening");
    return typeof bound === "string" ? `unix://${bound}` : `tcp://${LOOPBACK}:${bound.port}`;
  }

  /** Closes all connections and resolves when every handler that was called has come back. */
  async close(): Promise<void> {
    this.#stopped = true;
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    const connections = [...this.#connections];
    for (const connection of connections) connection.destroy();
    await Promise.all([closed, ...this.#orphans, ...connections.map((connection) => connection.done())]);
  }

  #accept(socket: Socket): void {
    if (this.#stopped) {
      socket.destroy();
      return;
    }
    const number = ++this.#count;
    const tell = (event: AbciEvent): void => this.#options.onEvent?.(event);
    const owner: ConnectionOwner = {
      handlers: this.#handlers,
      maxFrameBytes: this.#options.maxFrameBytes ?? DEFAULT_MAX_FRAME_BYTES,
      maxPending: this.#options.maxPending ?? DEFAULT_MAX_PENDING,
      orphansDone: async () => {
        await Promise.all(this.#orphans);
      },
      onBug: (error, kind) => this.#stop(error, kind),
      onClosing: (code, about) => tell({ event: "abci_closing", connection: number, code, about }),
    };
    const connection = new Connection(socket, owner);
    this.#connections.add(connection);
    tell({ event: "abci_connected", connection: number });
    socket.once("close", () => {
      this.#connections.delete(connection);
      const orphaned = connection.done();
      this.#orphans.add(orphaned);
      void orphaned.then(() => this.#orphans.delete(orphaned));
      tell({ event: "abci_disconnected", connection: number });
    });
  }

  /** A bug: CometBFT is told on every connection, and stops. */
  #stop(error: unknown, kind: Kind): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#server.close();
    for (const connection of this.#connections) connection.endWithException(`bug in ${kind}`);
    this.#fail(error);
  }
}
