/**
 * Live events: each audit entry that the caller may see, once the read model has it, and each block. A client that comes back says with
 * Last-Event-ID what it saw last and misses nothing. Source: WHATWG HTML, server-sent events; requirement C10.
 */
import { entriesAfter } from "@xinglin/index";
import { Fault } from "@xinglin/primitives";
import type { FastifyReply } from "fastify";
import { Type } from "typebox";
import { Visibility } from "../access/visibility.ts";
import type { ApiContext } from "../context.ts";
import type { Routes } from "../route.ts";
import type { Caller } from "../session/sessions.ts";
import { answers } from "./schemas.ts";

const ENTRIES_AT_ONCE = 100;
/** A reader that lets this much pile up is cut off, and resumes when it comes back. */
const MAX_BUFFERED_BYTES = 1_048_576;

export function addEventRoutes(routes: Routes, context: ApiContext): { closeAll(): void } {
  const streams = new Set<Stream>();

  routes.add({
    method: "GET",
    url: "/v1/events",
    session: true,
    schema: {
      summary: "Live events: `entry` (an audit entry, id = its sequence) and `block`",
      tags: ["records"],
      headers: Type.Object({ "last-event-id": Type.Optional(Type.String({ pattern: "^[0-9]{1,15}$" })) }),
      response: answers({ 200: { description: "A stream", content: { "text/event-stream": { schema: Type.String() } } } }),
    },
    handler: async (request, reply) => {
      const caller = context.callerOf(request);
      const { limits } = context;
      const own = [...streams].filter((stream) => stream.caller.actorId === caller.actorId).length;
      if (streams.size >= limits.streams || own >= limits.streamsPerActor)
        throw new Fault("too_many_streams", { most: limits.streamsPerActor }, { retry: true });
      const after = request.headers["last-event-id"];
      const stream = new Stream(context, caller, reply, after === undefined ? context.ledger.entryCount() - 1 : Number(after));
      streams.add(stream);
      stream.closed.then(() => streams.delete(stream));
      return reply;
    },
  });
  return {
    closeAll: () => {
      for (const stream of streams) stream.end();
    },
  };
}

class Stream {
  readonly caller: Caller;
  readonly closed: Promise<void>;
  readonly #context: ApiContext;
  readonly #raw: FastifyReply["raw"];
  #after: number;
  #height: number;
  #sending = false;
  #again = false;
  #ended = false;

  constructor(context: ApiContext, caller: Caller, reply: FastifyReply, after: number) {
    this.#context = context;
    this.caller = caller;
    this.#after = after;
    this.#height = context.ledger.height();
    reply.hijack();
    this.#raw = reply.raw;
    const headers = { ...reply.getHeaders(), "content-type": "text/event-stream; charset=utf-8", "x-accel-buffering": "no" };
    this.#raw.writeHead(200, headers as Record<string, string>);
    this.#raw.write(": connected\n\n");
    const heartbeat = setInterval(() => this.#beat(), context.limits.heartbeatMs);
    const stop = context.projection.onProgress(() => void this.#send());
    this.closed = new Promise((resolve) => {
      this.#raw.once("close", () => {
        this.#ended = true;
        clearInterval(heartbeat);
        stop();
        resolve();
      });
    });
    void this.#send();
  }

  end(): void {
    this.#ended = true;
    this.#raw.end();
  }

  #beat(): void {
    if (!this.#context.sessions.isStillAllowed(this.caller)) this.end();
    else this.#write(": \n\n");
  }

  /** Sends what is new; a call while one is under way makes it look once more. */
  async #send(): Promise<void> {
    this.#again = true;
    if (this.#sending) return;
    this.#sending = true;
    try {
      while (this.#again && !this.#ended) {
        this.#again = false;
        await this.#sendEntries();
        this.#sendBlock();
      }
    } catch {
      this.end(); // the read model is away: the client comes back and resumes
    } finally {
      this.#sending = false;
    }
  }

  async #sendEntries(): Promise<void> {
    const { index, sessions } = this.#context;
    while (!this.#ended && this.#after < index.sequence - 1) {
      const upTo = index.sequence - 1;
      const entries = await entriesAfter(index.db, Visibility.viewer(this.caller), this.#after, ENTRIES_AT_ONCE);
      if (!sessions.isStillAllowed(this.caller)) return this.end();
      for (const entry of entries) this.#write(`event: entry\nid: ${entry.sequence}\ndata: ${JSON.stringify(entry)}\n\n`);
      const last = entries.at(-1);
      this.#after = entries.length < ENTRIES_AT_ONCE ? Math.max(upTo, last?.sequence ?? upTo) : (last?.sequence ?? upTo);
    }
  }

  /** The id is the last entry that is accounted for, so that resuming after a block skips none and repeats none. */
  #sendBlock(): void {
    const height = this.#context.ledger.height();
    if (height <= this.#height) return;
    this.#height = height;
    const id = this.#after < 0 ? "" : `id: ${this.#after}\n`;
    const block = { height, time: this.#context.blockTime(), provable: this.#context.ledger.provableHeight() };
    this.#write(`event: block\n${id}data: ${JSON.stringify(block)}\n\n`);
  }

  #write(text: string): void {
    if (this.#ended) return;
    this.#raw.write(text);
    if (this.#raw.writableLength > MAX_BUFFERED_BYTES) this.#raw.destroy();
  }
}
