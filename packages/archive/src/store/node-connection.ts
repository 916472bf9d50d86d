/**
 * Requests to the store service of another member: signed by a pass, bounded in time and length, with stable codes for whatever goes wrong.
 * Source: docs/internals/archive.md, "At another member's"; RFC 9421; RFC 9530.
 */
import { randomBytes } from "node:crypto";
import { Agent, type ClientRequest, type IncomingMessage, request as overHttp } from "node:http";
import { request as overHttps, Agent as SecureAgent } from "node:https";
import { contentDigest, signatureBase, signatureHeaders } from "@xinglin/crypto/http";
import { nodeEd25519Signer } from "@xinglin/crypto/node";
import { Fault } from "@xinglin/primitives";
import { sha256 } from "../digest.ts";
import { readPass } from "../lending/pass.ts";
import { MAX_SMALL_BYTES, REFUSALS, refusalAnswer, type StoreRefusal } from "../lending/wire.ts";
import type { NodeDescription } from "./description.ts";

/** How long a store may take, in milliseconds. */
export interface StorePatience {
  /** Until the connection stands. */
  readonly connectMs: number;
  /** Without a byte. */
  readonly silenceMs: number;
  /** For a whole answer of a megabyte; longer ones have as much for each. */
  readonly megabyteMs: number;
}
const PATIENCE: StorePatience = { connectMs: 3_000, silenceMs: 10_000, megabyteMs: 15_000 };
/** A disk may take this long to have on it what it was given. */
const SETTLE_MS = 120_000;
/** Instead of a status: a connection that was reused turned out to be closed. */
const STALE = 0;
const BUSY_TRIES = 20;
const BUSY_WAIT_MS = 100;

/** Connections stay open between requests; those at rest do not keep the process alive. */
const plainAgent = new Agent({ keepAlive: true, maxSockets: 16, maxFreeSockets: 4 });
const secureAgent = new SecureAgent({ keepAlive: true, maxSockets: 16, maxFreeSockets: 4 });

/** One request. */
export interface StoreQuestion {
  readonly method: "GET" | "PUT" | "POST" | "DELETE";
  /** Below the store, with its query. */
  readonly path: string;
  readonly body?: Uint8Array;
  /** Most bytes that the answer may have. */
  readonly maxBytes?: number;
  /** The store syncs its disk before it answers. */
  readonly settles?: boolean;
  readonly signal?: AbortSignal;
}

/** Speaks to one store. */
export class NodeConnection {
  readonly #store: string;
  readonly #base: URL;
  readonly #path: string;
  readonly #access: NodeDescription["access"];
  readonly #patience: StorePatience;
  #signer: ReturnType<typeof nodeEd25519Signer> | undefined;
  #session: string | undefined;
  #presenting: Promise<void> | undefined;

  constructor(description: NodeDescription, patience: StorePatience = PATIENCE) {
    this.#store = description.id;
    this.#base = new URL(description.url);
    this.#path = `/v1/stores/${description.id}`;
    this.#access = description.access;
    this.#patience = patience;
  }

  /**
   * The answer's bytes. Faults: `store_absent` (no connection), `store_slow`, `store_answer_wrong` (too long, cut off, not in the
   * protocol), or what the store refuses with; all name the store.
   */
  async ask(question: StoreQuestion): Promise<Buffer> {
    for (let tries = 0, presented = false, again = false; ; ) {
      const { status, body } = await this.#send(`${this.#path}${question.path}`, question);
      if (status >= 200 && status < 300) return body;
      // A connection at rest that the other side closed just then says nothing of the store; asking twice must do nothing twice.
      if (status === STALE && !again && (question.method === "GET" || question.method === "PUT")) {
        again = true;
        continue;
      }
      if (status === STALE) throw this.fault("store_absent");
      const code = this.#refusalOf(body);
      if (code === "store_pass_unknown" && !presented) {
        presented = true;
        await this.#present();
      } else if (code === "store_busy" && tries++ < BUSY_TRIES) {
        await new Promise((resolve) => setTimeout(resolve, BUSY_WAIT_MS));
      } else throw this.fault(code);
    }
  }

  /** A fault that names the store. */
  fault(code: string, cause?: unknown): Fault {
    const retry = ["store_absent", "store_unclaimed", "store_slow", "store_busy", "store_stage_lost"].includes(code);
    const remote = code === "store_unreadable" || code === "store_unwritable" ? { errno: "remote" } : {};
    return new Fault(code, { store: this.#store, ...remote }, { cause, retry });
  }

  /** Shows the pass, once for all who wait. */
  async #present(): Promise<void> {
    this.#presenting ??= this.#send("/v1/passes", { method: "POST", path: "", body: this.#required().pass }, false)
      .then(({ status, body }) => {
        if (status >= 300) throw this.fault(this.#refusalOf(body));
      })
      .finally(() => {
        this.#presenting = undefined;
      });
    await this.#presenting;
  }

  #required(): NonNullable<NodeDescription["access"]> {
    if (this.#access === undefined) throw this.fault("store_pass_missing");
    return this.#access;
  }

  #refusalOf(body: Uint8Array): StoreRefusal | "store_answer_wrong" {
    try {
      const { code } = refusalAnswer.parse(JSON.parse(new TextDecoder().decode(body)));
      return REFUSALS.find((known) => known === code) ?? "store_answer_wrong";
    } catch {
      return "store_answer_wrong";
    }
  }

  #signed(method: string, path: string, digest: string | undefined): Record<string, string> {
    const { pass, seed } = this.#required();
    this.#signer ??= nodeEd25519Signer(seed);
    this.#session ??= readPass(pass).id;
    const parameters = {
      created: Math.floor(Date.now() / 1000),
      nonce: new Uint8Array(randomBytes(16)),
      session: this.#session,
      suite: "ed25519",
      hasBody: digest !== undefined,
    } as const;
    const question = path.indexOf("?");
    const parts = {
      method,
      authority: this.#base.host,
      path: question < 0 ? path : path.slice(0, question),
      query: question < 0 ? "" : path.slice(question + 1),
      ...(digest === undefined ? {} : { contentDigest: digest }),
    };
    return signatureHeaders(parameters, this.#signer.signSync(signatureBase(parts, parameters)));
  }

  async #send(path: string, question: StoreQuestion, sign = true): Promise<{ status: number; body: Buffer }> {
    const { method, body, maxBytes = MAX_SMALL_BYTES, settles = false, signal } = question;
    const digest = body === undefined ? undefined : contentDigest(sha256(body));
    const headers: Record<string, string | number> = {
      ...(sign ? this.#signed(method, path, digest) : {}),
      ...(body === undefined || digest === undefined ? {} : { "content-length": body.length, "content-digest": digest }),
    };
    const secure = this.#base.protocol === "https:";
    const asking = (secure ? overHttps : overHttp)(new URL(path, this.#base), {
      method,
      headers,
      agent: secure ? secureAgent : plainAgent,
      ...(signal === undefined ? {} : { signal }),
    });
    const megabytes = 1 + ((body?.length ?? 0) + maxBytes) / 1_000_000;
    const { connectMs, silenceMs, megabyteMs } = this.#patience;
    const limits = {
      connectMs,
      silenceMs: settles ? SETTLE_MS : silenceMs,
      wholeMs: settles ? SETTLE_MS : megabyteMs * megabytes,
    };
    return await this.#answerTo(asking, body, maxBytes, limits);
  }

  #answerTo(
    asking: ClientRequest,
    body: Uint8Array | undefined,
    maxBytes: number,
    limits: { connectMs: number; silenceMs: number; wholeMs: number },
  ): Promise<{ status: number; body: Buffer }> {
    return new Promise((resolve, reject) => {
      let connected = false;
      const end = (fault: Fault): void => {
        clearTimeout(connecting);
        clearTimeout(whole);
        reject(fault);
        asking.destroy();
      };
      const connecting = setTimeout(() => end(this.fault("store_absent")), limits.connectMs);
      const whole = setTimeout(() => end(this.fault("store_slow")), limits.wholeMs);
      asking.setTimeout(limits.silenceMs, () => end(this.fault(connected ? "store_slow" : "store_absent")));
      asking.on("socket", (socket) => {
        const stands = (): void => {
          connected = true;
          clearTimeout(connecting);
        };
        if (socket.connecting) socket.once(this.#base.protocol === "https:" ? "secureConnect" : "connect", stands);
        else stands();
      });
      asking.on("error", (cause) => {
        if (asking.reusedSocket && isReset(cause)) {
          clearTimeout(connecting);
          clearTimeout(whole);
          resolve({ status: STALE, body: Buffer.alloc(0) });
        } else end(this.fault(connected && !isReset(cause) ? "store_answer_wrong" : "store_absent", cause));
      });
      asking.on("response", (answer: IncomingMessage) => {
        const parts: Buffer[] = [];
        let length = 0;
        answer.on("data", (part: Buffer) => {
          length += part.length;
          if (length > maxBytes && length > MAX_SMALL_BYTES) return end(this.fault("store_answer_wrong"));
          parts.push(part);
        });
        answer.on("error", (cause) => end(this.fault("store_answer_wrong", cause)));
        answer.on("end", () => {
          clearTimeout(connecting);
          clearTimeout(whole);
          if (!answer.complete) return reject(this.fault("store_answer_wrong"));
          resolve({ status: answer.statusCode ?? 0, body: parts.length === 1 ? parts[0]! : Buffer.concat(parts) });
        });
      });
      asking.end(body);
    });
  }
}

const isReset = (cause: NodeJS.ErrnoException): boolean => ["ECONNRESET", "EPIPE", "ECONNREFUSED"].includes(cause.code ?? "");
