/** A small client of the ABCI socket, over the generated messages. Answers come in the order of the requests, as the protocol says. */
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { create, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { FrameReader, frameLength } from "../../src/abci/frames.ts";
import { RequestFlushSchema, RequestSchema, type Response, ResponseSchema } from "../../src/proto/tendermint/abci/types_pb.js";

/** A request as `create` takes it. */
export type Question = NonNullable<MessageInitShape<typeof RequestSchema>["value"]>;
/** What an answer holds. */
export type Reply = Response["value"];

/** The bytes of a request with its length before it. */
export function frameOf(value: Question): Uint8Array {
  const bytes = toBinary(RequestSchema, create(RequestSchema, { value }));
  return Buffer.concat([frameLength(bytes.length), bytes]);
}

export const FLUSH: Question = { case: "flush", value: create(RequestFlushSchema) };

export class AbciClient {
  readonly socket: Socket;
  /** Resolves when the connection is gone. */
  readonly closed: Promise<void>;
  /** Kinds of the answers that came, in order. */
  readonly seen: string[] = [];
  readonly #waiting: { resolve: (reply: Reply) => void; reject: (error: Error) => void }[] = [];
  readonly #frames = new FrameReader(1 << 30);

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on("data", (chunk: Uint8Array) => this.#take(chunk));
    socket.on("error", () => undefined);
    this.closed = new Promise((resolve) => {
      socket.once("close", () => {
        for (const { reject } of this.#waiting.splice(0)) reject(new Error("connection closed"));
        resolve();
      });
    });
  }

  /** Connects to where a server says that it listens. */
  static async connect(address: string): Promise<AbciClient> {
    const tcp = /^tcp:\/\/(.+):(\d+)$/.exec(address);
    const socket = tcp ? connect(Number(tcp[2]), tcp[1]!) : connect(address.slice("unix://".length));
    await once(socket, "connect");
    return new AbciClient(socket);
  }

  /** Sends a request and resolves with its answer. Several may be under way. */
  ask(value: Question): Promise<Reply> {
    this.socket.write(frameOf(value));
    return this.answer();
  }

  /** The next answer that nobody waits for yet. */
  answer(): Promise<Reply> {
    const answer = new Promise<Reply>((resolve, reject) => this.#waiting.push({ resolve, reject }));
    answer.catch(() => undefined);
    return answer;
  }

  async close(): Promise<void> {
    this.socket.destroy();
    await this.closed;
  }

  #take(chunk: Uint8Array): void {
    this.#frames.push(chunk);
    for (let frame = this.#frames.next(); frame !== undefined; frame = this.#frames.next()) {
      const { value } = fromBinary(ResponseSchema, frame);
      this.seen.push(value.case ?? "nothing");
      this.#waiting.shift()?.resolve(value);
    }
  }
}
