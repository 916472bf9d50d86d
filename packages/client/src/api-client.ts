/**
 * The HTTP API as a typed client, for browsers and Node: errors come back as `Fault` with the API's stable code, every protected request is
 * signed by a session key that the caller's own key delegated to. Source: RFC 9421, RFC 9457; design.md, "Identity".
 */

import type { Operation } from "@xinglin/contracts";
import { chainIdOf, decodeGenesis, type Genesis } from "@xinglin/contracts";
import { type Bytes, cbor, Fault, type Height, type Infer, schema, type UnixSeconds } from "@xinglin/primitives";
import { decodeLightBlock } from "@xinglin/verifier";
import { type Identity, signerReference } from "./identity.ts";
import { openSession, type Session } from "./session.ts";
import { type ChainTip, type SignedTransaction, signTransaction } from "./transactions.ts";

/** Largest answer that is read into memory. */
const MAX_ANSWER_BYTES = 67_108_864;

/** What the ledger proves of one key: the state at `height`, shown by the light block of `height + 1`. */
export const stateProof = schema.object({
  height: schema.uint<Height>(),
  key: schema.text(200),
  value: schema.optional(schema.bytes(0, 1_048_576)),
  proof: schema.bytes(1, 131_072),
  lightBlock: schema.bytes(1, 1_048_576),
});
export type StateProof = Infer<typeof stateProof>;

/** What became of a transaction. */
export interface Receipt {
  readonly id: string;
  readonly height: number;
  readonly time: UnixSeconds;
  readonly results: readonly OperationResult[];
}
export interface OperationResult {
  readonly outcome: "accepted" | "refused";
  readonly code?: string;
  readonly facts?: Readonly<Record<string, string | number>>;
  readonly reason?: unknown;
  readonly subject: {
    readonly patient?: string;
    readonly record?: string;
    readonly version?: number;
    readonly number?: number;
    readonly decided?: string;
  };
  readonly sequence: number;
}

/** Where the API is and how to speak to it; zh-CN unless said otherwise. */
export interface ApiClientOptions {
  /** Where the API is, for example `http://localhost:8080`. */
  readonly url: string;
  readonly language?: "zh-CN" | "en";
  /** The chain that the caller means, learnt elsewhere: a server with another genesis is `wrong_chain`. */
  readonly chainId?: string;
  readonly fetch?: typeof fetch;
  /**
   * How often to ask for the receipt of a transaction that was taken and whose block takes its time, as where several validators are away. The server waits a
   * while (some 15 s) at each question. 0 by default: `receipt_missing` at once, for a page that shows what waits.
   */
  readonly receiptQuestions?: number;
}

export class ApiClient {
  readonly url: string;
  readonly #language: string;
  readonly #expectedChainId: string | undefined;
  readonly #fetch: typeof fetch;
  readonly #receiptQuestions: number;
  /** By actor and key: after a key was replaced, the same actor needs a session of the new one. */
  readonly #sessions = new Map<string, Promise<Session>>();
  #genesis: Promise<{ bytes: Bytes; genesis: Genesis; chainId: string }> | undefined;

  constructor(options: ApiClientOptions) {
    this.url = options.url.replace(/\/$/, "");
    this.#language = options.language ?? "zh-CN";
    this.#expectedChainId = options.chainId;
    this.#receiptQuestions = options.receiptQuestions ?? 0;
    this.#fetch = options.fetch ?? globalThis.fetch.bind(globalThis);
  }

  /** The genesis document that the server shows. Whoever verifies compares its chain id with one learnt elsewhere. */
  genesis(): Promise<{ bytes: Bytes; genesis: Genesis; chainId: string }> {
    this.#genesis ??= this.getBytes("/v1/genesis").then((bytes) => {
      const chainId = chainIdOf(bytes);
      if (this.#expectedChainId !== undefined && chainId !== this.#expectedChainId)
        throw new Fault("wrong_chain", { chain: chainId });
      return { bytes, genesis: decodeGenesis(bytes), chainId };
    });
    this.#genesis.catch(() => {
      this.#genesis = undefined; // a server that was not up yet is asked again
    });
    return this.#genesis;
  }

  /** Newest height and time as the server tells them: good enough to date a transaction, not to decide anything. */
  async tip(): Promise<ChainTip> {
    const { chainId } = await this.genesis();
    const status = (await this.getJson("/v1/status")) as { height: number; newestBlockTime: number };
    return {
      chainId,
      height: status.height,
      time: Math.max(status.newestBlockTime, Math.floor(Date.now() / 1000)) as UnixSeconds,
    };
  }

  /** Signs `operations` as `identity` and submits them; resolves when the block that decides them is committed (or provable). */
  async submit(
    identity: Identity,
    operations: readonly Operation[],
    options: { wait?: "committed" | "provable"; device?: Identity } = {},
  ): Promise<Receipt> {
    return this.submitSigned(await signTransaction(await this.tip(), identity, operations, options.device), options.wait);
  }

  async submitSigned(transaction: SignedTransaction, wait: "committed" | "provable" = "provable"): Promise<Receipt> {
    return this.submitBytes(transaction.bytes, wait);
  }

  /** Submits a transaction that someone signed, a custodian for example. */
  async submitBytes(transaction: Bytes, wait: "committed" | "provable" = "provable"): Promise<Receipt> {
    const answer = await this.#send("POST", `/v1/transactions?wait=${wait}`, { body: transaction });
    const { id, receipt } = (await answer.json()) as { id?: string; receipt?: Receipt };
    return receipt ?? this.#receiptOf(id ?? "", wait);
  }

  async #receiptOf(id: string, wait: "committed" | "provable"): Promise<Receipt> {
    for (let question = 1; question <= this.#receiptQuestions; question++) {
      try {
        return (await this.getJson(`/v1/receipts/${id}?wait=${wait}`)) as Receipt;
      } catch (error) {
        if (!(error instanceof Fault && error.code === "receipt_pending")) throw error;
      }
    }
    throw new Fault("receipt_missing", { id }, { retry: true });
  }

  /** The value (or absence) of a state key with its proof. `identity` must be allowed to see it. */
  async prove(identity: Identity, key: string, height?: number): Promise<StateProof> {
    const at = height === undefined ? "" : `&height=${height}`;
    const bytes = await this.getBytes(`/v1/state?key=${encodeURIComponent(key)}${at}`, identity);
    return stateProof.parse(cbor.decode(bytes, MAX_ANSWER_BYTES));
  }

  /** Several keys at one height, so that one light block proves them all. */
  async proveAll(
    identity: Identity,
    keys: readonly string[],
  ): Promise<{ height: Height; lightBlock: Bytes; proofs: StateProof[] }> {
    const newest = decodeLightBlock(await this.getBytes("/v1/light-blocks/newest"));
    const proofs = await Promise.all(keys.map((key) => this.prove(identity, key, newest.header.height - 1)));
    const [first] = proofs;
    if (first === undefined) throw new Fault("proof_missing", { key: "" });
    return { height: first.height, lightBlock: first.lightBlock, proofs };
  }

  async getJson(path: string, identity?: Identity): Promise<unknown> {
    return (await this.#send("GET", path, { identity, accept: "application/json" })).json();
  }

  async getBytes(path: string, identity?: Identity): Promise<Bytes> {
    return new Uint8Array(await (await this.#send("GET", path, { identity, accept: "application/cbor" })).arrayBuffer());
  }

  /** Posts canonical DAG-CBOR and returns the same. */
  async postBytes(path: string, body: Bytes, identity?: Identity): Promise<Bytes> {
    return new Uint8Array(await (await this.#send("POST", path, { body, identity, accept: "application/cbor" })).arrayBuffer());
  }

  /** Asks for something to be done that needs no content. */
  async postJson(path: string, identity: Identity): Promise<unknown> {
    const answer = await this.#send("POST", path, { identity, accept: "application/json" });
    return answer.status === 204 ? undefined : answer.json();
  }

  /** An open answer, for streams. The caller aborts it by `signal`. */
  async stream(
    path: string,
    identity: Identity,
    options: { signal: AbortSignal; lastEventId?: string },
  ): Promise<ReadableStream<Uint8Array>> {
    const headers: Record<string, string> = options.lastEventId === undefined ? {} : { "last-event-id": options.lastEventId };
    const answer = await this.#send("GET", path, { identity, accept: "text/event-stream", signal: options.signal, headers });
    if (answer.body === null) throw new Fault("stream_missing", {}, { retry: true });
    return answer.body;
  }

  /** The session of an identity, opened on first use and renewed before it ends. */
  async #session(identity: Identity): Promise<Session> {
    const open = (): Promise<Session> => {
      const opening = this.genesis().then(({ chainId }) =>
        openSession(identity, { chainId, authority: new URL(this.url).host }, (body) => this.postBytes("/v1/sessions", body)),
      );
      this.#sessions.set(sessionKey(identity), opening);
      opening.catch(() => this.#sessions.delete(sessionKey(identity)));
      return opening;
    };
    const session = await (this.#sessions.get(sessionKey(identity)) ?? open());
    return session.isEnding() ? open() : session;
  }

  /** A server that was started anew knows no session: then a new one is opened, once. */
  async #send(method: "GET" | "POST", path: string, options: SendOptions): Promise<Response> {
    try {
      return await this.#sendOnce(method, path, options);
    } catch (error) {
      const { identity } = options;
      if (identity === undefined || !(error instanceof Fault) || error.code !== "session_unknown") throw error;
      this.#sessions.delete(sessionKey(identity));
      return this.#sendOnce(method, path, options);
    }
  }

  async #sendOnce(method: "GET" | "POST", path: string, options: SendOptions): Promise<Response> {
    const { body, identity } = options;
    const headers: Record<string, string> = { ...options.headers, "accept-language": this.#language };
    if (options.accept !== undefined) headers["accept"] = options.accept;
    if (body !== undefined) headers["content-type"] = "application/cbor";
    if (identity !== undefined) Object.assign(headers, await (await this.#session(identity)).sign(method, path, body));
    let answer: Response;
    try {
      answer = await this.#fetch(this.url + path, {
        method,
        headers,
        ...(body === undefined ? {} : { body: body as Uint8Array<ArrayBuffer> }),
        ...(options.signal === undefined ? {} : { signal: options.signal }),
      });
    } catch (cause) {
      throw new Fault("api_unreachable", { url: this.url }, { cause, retry: true });
    }
    if (!answer.ok) throw await faultOf(answer);
    return answer;
  }
}

const sessionKey = (identity: Identity): string => {
  const { actor, key } = signerReference(identity);
  return `${actor} ${key}`;
};

interface SendOptions {
  readonly body?: Bytes;
  readonly identity?: Identity | undefined;
  readonly accept?: string;
  readonly signal?: AbortSignal;
  readonly headers?: Record<string, string>;
}

const problem = schema.object({
  code: schema.text(64),
  facts: { parse: (facts: unknown) => facts as Record<string, string | number> },
});

async function faultOf(answer: Response): Promise<Fault> {
  try {
    const { code, facts, retry, detail } = (await answer.json()) as Record<string, unknown>;
    const parsed = problem.parse({ code, facts: facts ?? {} });
    const fault = new Fault(parsed.code, parsed.facts, { retry: retry === true });
    return typeof detail === "string" ? Object.assign(fault, { detail }) : fault;
  } catch {
    return new Fault("api_answer_unreadable", { status: answer.status }, { retry: answer.status >= 500 });
  }
}
