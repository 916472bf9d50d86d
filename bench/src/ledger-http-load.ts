/**
 * The process that sends the load through HTTP: signs it first, then keeps so many requests on their way until all are answered.
 * Told what to send by its parent; tells when it is ready, and when it is done with the CPU it used.
 */
import { Agent, request } from "node:http";
import { cbor, invariant } from "@xinglin/primitives";
import { transaction } from "./ledger-chain.ts";

/** What to send where. `perRequest` 1 sends one transaction a request. */
export interface HttpLoad {
  readonly url: string;
  readonly chain: string;
  readonly from: number;
  readonly count: number;
  readonly patients: number;
  readonly perRequest: number;
  readonly connections: number;
}
export type HttpLoadAnswer = { readonly ready: true } | { readonly turnedAway: number; readonly cpuSeconds: number };

const RETRY_MS = 20;
/** What means: later. */
const PUSHED_BACK = new Set(["mempool_quota", "mempool_full"]);
const tell = (answer: HttpLoadAnswer): void => {
  process.send?.(answer);
};

process.once("message", (load: HttpLoad) => {
  const { chain, from, count, patients, perRequest, connections, url } = load;
  const transactions = Array.from({ length: count }, (_, i) => transaction(chain, "record", from + i, patients));
  const groups: Uint8Array[][] = [];
  for (let i = 0; i < count; i += perRequest) groups.push(transactions.slice(i, i + perRequest));
  const bodyOf = (group: readonly Uint8Array[]): Uint8Array => (perRequest === 1 ? group[0]! : cbor.encode(group));
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const target = new URL(perRequest === 1 ? "/v1/transactions" : "/v1/transactions:batch", url);

  const post = (body: Uint8Array): Promise<{ status: number; text: string }> =>
    new Promise((resolve, reject) => {
      const headers = { "content-type": "application/cbor", "content-length": body.length };
      const sent = request(target, { method: "POST", agent, headers }, (response) => {
        const parts: Buffer[] = [];
        response.on("data", (part: Buffer) => parts.push(part));
        response.on("end", () => resolve({ status: response.statusCode ?? 0, text: Buffer.concat(parts).toString() }));
      });
      sent.on("error", reject);
      sent.end(body);
    });

  process.once("message", async () => {
    const cpu = process.cpuUsage();
    let next = 0;
    let turnedAway = 0;
    /** Those of a group that were pushed back; all of them, if the request itself was. */
    const pushedBack = ({ status, text }: { status: number; text: string }, group: Uint8Array[]): Uint8Array[] => {
      if (status === 503 || status === 429) return group;
      invariant(status === 202, `the API answered ${status}: ${text.slice(0, 200)}`);
      if (perRequest === 1) return [];
      const answers = JSON.parse(text) as { code?: string }[];
      const refused = answers.find(({ code }) => code !== undefined && !PUSHED_BACK.has(code));
      invariant(refused === undefined, `a transaction of the load was turned away: ${refused?.code}`);
      return group.filter((_, i) => answers[i]?.code !== undefined);
    };
    const client = async (): Promise<void> => {
      for (let group = groups[next++]; group !== undefined; group = groups[next++]) {
        let left = pushedBack(await post(bodyOf(group)), group);
        while (left.length > 0) {
          turnedAway++;
          await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
          left = pushedBack(await post(bodyOf(left)), left);
        }
      }
    };
    await Promise.all(Array.from({ length: connections }, client));
    agent.destroy();
    const { user, system } = process.cpuUsage(cpu);
    tell({ turnedAway, cpuSeconds: (user + system) / 1e6 });
    process.disconnect();
  });
  tell({ ready: true });
});
