/**
 * The thread of a store service. Disks are read and written with blocking calls, and pieces are many: the thread of the ledger and the API
 * hears of neither. What only the chain knows it asks its parent.
 */
import { parentPort, workerData } from "node:worker_threads";
import { Fault, invariant } from "@xinglin/primitives";
import { openStore } from "../store/open.ts";
import { type Lent, openLent } from "./open-lent.ts";
import type { Anchor } from "./repair-proof.ts";
import { type StoreService, serveStores } from "./service.ts";
import type { AnchorQuestion, FromThread, LendingOrder, ToThread } from "./thread-messages.ts";

invariant(parentPort !== null, "the service runs in a thread");
const port = parentPort;
const say = (message: FromThread): void => port.postMessage(message);
const order = workerData as LendingOrder;

const waiting = new Map<number, { resolve: (value: never) => void; reject: (fault: Fault) => void }>();
let asked = 0;
const ask = <T>(question: { authorize: Uint8Array } | AnchorQuestion): Promise<T> =>
  new Promise((resolve, reject) => {
    waiting.set(++asked, { resolve: resolve as (value: never) => void, reject });
    say({ type: "ask", id: asked, ...question });
  });

let lent: Lent | undefined;
let service: StoreService | undefined;

port.on("message", (message: ToThread) => {
  if (message.type === "answer") {
    const { id, value, code } = message;
    const asking = waiting.get(id);
    waiting.delete(id);
    if (code === undefined) asking?.resolve(value as never);
    else asking?.reject(new Fault(code));
  } else if (message.type === "draining") {
    for (const [id, store] of lent?.stores ?? []) store.draining = message.stores.includes(id);
  } else if (message.type === "away") setAway(message.stores);
  else
    void service?.close().then(
      () => say({ type: "closed" }),
      () => say({ type: "closed" }),
    );
});

function setAway(ids: readonly string[]): void {
  for (const [id, store] of lent?.stores ?? []) store.away = ids.includes(id);
}

try {
  const stores = order.stores.map(openStore);
  lent = await openLent(
    stores,
    order.folder,
    (object, of) => ask<Anchor | undefined>({ anchor: object, of }),
    order.memberQuotaBytes,
  );
  setAway(order.away ?? []);
  service = await serveStores({
    ...lent,
    listen: order.listen,
    names: order.names,
    ...(order.tls === undefined ? {} : { tls: order.tls }),
    authorize: (pass) => ask({ authorize: pass }),
  });
  say({ type: "listening", port: service.port });
} catch (error) {
  const fault = error instanceof Fault ? error : new Fault("listen_failed", {}, { cause: error });
  say({ type: "failed", code: fault.code, facts: fault.facts });
}
