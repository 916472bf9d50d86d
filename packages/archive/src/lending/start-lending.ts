/** Starts a member's store service in a thread of its own. Source: docs/internals/archive.md, "At another member's". */
import { Worker } from "node:worker_threads";
import { Fault } from "@xinglin/primitives";
import type { Authorize } from "./guests.ts";
import type { FindAnchor } from "./repair-proof.ts";
import type { FromThread, LendingOrder, ToThread } from "./thread-messages.ts";

/** What a service is started with. */
export interface LendingOptions extends LendingOrder {
  readonly authorize: Authorize;
  readonly findAnchor: FindAnchor;
}

/** A service that listens. */
export interface Lending {
  readonly port: number;
  /** These stores take nothing new, all others do. */
  setDraining(stores: readonly string[]): void;
  /** Guests find these away, all others as they are. */
  setAway(stores: readonly string[]): void;
  close(): Promise<void>;
}

/** Resolves once the service listens. Faults: `port_in_use`, `listen_failed`, `store_absent`, those of opening stores. */
export async function startLending({ authorize, findAnchor, ...order }: LendingOptions): Promise<Lending> {
  const thread = new Worker(new URL("./thread.ts", import.meta.url), { workerData: order satisfies LendingOrder });
  const tell = (message: ToThread): void => thread.postMessage(message);
  const answer = async (id: number, work: Promise<unknown>): Promise<void> => {
    try {
      tell({ type: "answer", id, value: await work });
    } catch (error) {
      tell({ type: "answer", id, code: error instanceof Fault ? error.code : "internal" });
    }
  };
  let closed: (() => void) | undefined;
  const ended = new Promise<void>((resolve) => {
    closed = resolve;
  });
  const port = await new Promise<number>((resolve, reject) => {
    thread.on("message", (message: FromThread) => {
      if (message.type === "ask")
        void answer(message.id, "authorize" in message ? authorize(message.authorize) : findAnchor(message.anchor, message.of));
      else if (message.type === "listening") resolve(message.port);
      else if (message.type === "failed") reject(new Fault(message.code, message.facts));
      else closed?.();
    });
    thread.once("error", (cause) => {
      closed?.();
      reject(new Fault("listen_failed", {}, { cause }));
    });
  }).catch(async (error: unknown) => {
    await thread.terminate();
    throw error;
  });
  return {
    port,
    setDraining: (stores) => tell({ type: "draining", stores }),
    setAway: (stores) => tell({ type: "away", stores }),
    async close() {
      tell({ type: "close" });
      await ended;
      await thread.terminate();
    },
  };
}
