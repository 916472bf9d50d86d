/**
 * The same load through HTTP: a process of its own posts signed transactions to the API on this machine, many in a request and one in a
 * request. The API has no read model behind it here: that follows the ledger at its own pace.
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { createApi } from "@xinglin/api";
import type { ReadModel } from "@xinglin/index";
import type { Ledger } from "@xinglin/ledger";
import { invariant } from "@xinglin/primitives";
import type { HttpLoad, HttpLoadAnswer } from "./ledger-http-load.ts";
import type { SuiteOptions } from "./measure.ts";

const CONNECTIONS = 8;
const PER_REQUEST = 100;
const UNLIMITED = 1e9;
/** A read model that has seen everything and keeps nothing. */
const NO_READ_MODEL = { size: 0, catchUp: async () => {}, close: async () => {} } as unknown as ReadModel;

interface HttpBench {
  readonly ledger: Ledger;
  readonly quick: boolean;
  readonly emit: SuiteOptions["emit"];
  readonly patients: number;
  /** Number of the first transaction that was not sent yet. */
  readonly from: number;
  /** Transactions a second in process, in the same run. */
  readonly inProcess: number;
}

/** Measures `signed-tx-http`. */
export async function measureHttp({ ledger, quick, emit, patients, from, inProcess }: HttpBench): Promise<void> {
  const limits = { requestsPerSecond: UNLIMITED, burst: UNLIMITED };
  const api = await createApi({ ledger, index: NO_READ_MODEL, host: "127.0.0.1", port: 0, limits });
  await api.listen();
  try {
    const many = Math.ceil(inProcess * (quick ? 1.5 : 10));
    const few = Math.ceil(many / 10);
    const shared = { url: api.url, chain: ledger.chainId, patients, connections: CONNECTIONS };
    const batched = await send(ledger, { ...shared, from, count: many, perRequest: PER_REQUEST });
    const single = await send(ledger, { ...shared, from: from + many, count: few, perRequest: 1 });
    emit({
      measure: "signed-tx-http",
      value: batched.perSecond,
      unit: "tx/s",
      limit: { name: "in process", value: inProcess },
      ratio: batched.perSecond / inProcess,
      conditions: {
        counted: "transactions of one operation, posted on one machine",
        perRequest: PER_REQUEST,
        connections: CONNECTIONS,
        onePerRequest: Math.round(single.perSecond),
        senderCpuSeconds: Number((batched.cpuSeconds + single.cpuSeconds).toFixed(2)),
        requestsPushedBack: batched.turnedAway + single.turnedAway,
        readModel: "none",
      },
    });
  } finally {
    await api.close();
  }
}

async function send(ledger: Ledger, load: HttpLoad): Promise<{ perSecond: number; turnedAway: number; cpuSeconds: number }> {
  const sender = fork(new URL("./ledger-http-load.ts", import.meta.url), { serialization: "json" });
  const answer = async (): Promise<HttpLoadAnswer> => {
    const [told] = await Promise.race([
      once(sender, "message"),
      once(sender, "exit").then(([code]) => {
        throw new Error(`the sender ended with ${code}`);
      }),
    ]);
    return told as HttpLoadAnswer;
  };
  sender.send(load);
  await answer();
  const before = ledger.entryCount();
  const committed = new Promise<void>((resolve) => {
    const stop = ledger.subscribe(() => {
      if (ledger.entryCount() - before < load.count) return;
      stop();
      resolve();
    });
  });
  const start = performance.now();
  sender.send("go");
  const done = await answer();
  await committed;
  const seconds = (performance.now() - start) / 1_000;
  invariant("turnedAway" in done, "http load: an answer to another question");
  return { perSecond: load.count / seconds, turnedAway: done.turnedAway, cpuSeconds: done.cpuSeconds };
}
