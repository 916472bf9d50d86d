/**
 * CometBFT's RPC, as far as a node needs its own engine: one question at a time or several, each answered or refused within a bound.
 * Source: CometBFT v0.40 `rpc/core/routes.go`; JSON-RPC 2.0.
 */
import { Agent, request } from "node:http";
import { Fault } from "@xinglin/primitives";

/** Where the RPC listens: a socket file, or host and port. */
export type RpcAddress = { readonly socketPath: string } | { readonly host: string; readonly port: number };

/** An answer that does not come within this is none. */
const TIMEOUT_MS = 5_000;
/** Most bytes of an answer: a full block in base64 with room to spare. */
const MAX_ANSWER_BYTES = 160 * 1024 * 1024;

export class RpcClient {
  readonly #address: RpcAddress;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 4 });

  constructor(address: RpcAddress) {
    this.#address = address;
  }

  /**
   * The result of a method, not yet looked at. Rejects with `Fault("engine_unreachable")`, with retry; `facts.reason` says whether CometBFT
   * answered at all (`refused`), as it does for a height that it does not have.
   */
  async call(method: string, parameters: Readonly<Record<string, string | number>> = {}): Promise<unknown> {
    const query = Object.entries(parameters).map(([name, value]) => `${name}=${encodeURIComponent(value)}`);
    const text = await this.#get(`/${method}${query.length === 0 ? "" : `?${query.join("&")}`}`);
    let answer: { result?: unknown; error?: unknown };
    try {
      answer = JSON.parse(text) as { result?: unknown; error?: unknown };
    } catch (error) {
      throw unreachable(method, "not_json", error);
    }
    if (answer.result === undefined) throw unreachable(method, "refused", answer.error);
    return answer.result;
  }

  close(): void {
    this.#agent.destroy();
  }

  #get(path: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const fail = (error: unknown): void => reject(unreachable(path, "no_answer", error));
      const asked = request({ ...this.#address, path, agent: this.#agent, timeout: TIMEOUT_MS }, (response) => {
        const pieces: Buffer[] = [];
        let bytes = 0;
        response.on("data", (piece: Buffer) => {
          pieces.push(piece);
          bytes += piece.length;
          if (bytes > MAX_ANSWER_BYTES) asked.destroy(new Error("the answer is too long"));
        });
        response.on("end", () => resolve(Buffer.concat(pieces).toString("utf8")));
        response.on("error", fail);
      });
      asked.on("timeout", () => asked.destroy(new Error("no answer in time")));
      asked.on("error", fail);
      asked.end();
    });
  }
}

const unreachable = (method: string, reason: string, cause: unknown): Fault =>
  new Fault("engine_unreachable", { method, reason }, { cause, retry: true });
