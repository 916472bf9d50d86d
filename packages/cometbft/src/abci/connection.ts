/**
 * One of CometBFT's connections: reads requests, has them answered, and writes the answers in the order of the requests. It reads no
 * further while as many requests as it may hold wait for answers, or while the other side does not take the answers; what it holds is
 * therefore bounded, however much is sent.
 * Source: CometBFT v0.40, spec "ABCI, client and server".
 */
import type { Socket } from "node:net";
import { type Bytes, Fault } from "@xinglin/primitives";
import { exception, processProposal, refusal } from "./answers.ts";
import { type Call, callOf, OVERLAPPING } from "./calls.ts";
import { type Answered, decodeRequest, encodeResponse, type Kind } from "./envelope.ts";
import { FrameReader, frameLength, malformed } from "./frames.ts";
import type { AbciHandlers } from "./handlers.ts";

/** What a connection asks of the server that it belongs to. */
export interface ConnectionOwner {
  readonly handlers: AbciHandlers;
  readonly maxFrameBytes: number;
  /** Requests that one connection may have waiting for their answers. */
  readonly maxPending: number;
  /** Resolves when nothing is under way any more for the connections that are closed by now. */
  orphansDone(): Promise<void>;
  /** A handler of this kind of request threw what is no `Fault`. */
  onBug(error: unknown, kind: Kind): void;
  /** A connection was closed because of what came over it (`malformed`) or because a handler could not answer. */
  onClosing(code: string, about: string): void;
}

/** A request whose answer has not been written yet. */
interface Slot {
  readonly sizeBytes: number;
  answer?: Bytes;
  /** Nothing is written after it. */
  last?: true;
}

const nothing = (): void => undefined;

export class Connection {
  readonly #socket: Socket;
  readonly #owner: ConnectionOwner;
  readonly #frames: FrameReader;
  readonly #slots: Slot[] = [];
  #pendingBytes = 0;
  /** The last of the calls that go one after another. */
  #turn: Promise<void> = Promise.resolve();
  readonly #underWay = new Set<Promise<void>>();
  #closed = false;

  constructor(socket: Socket, owner: ConnectionOwner) {
    this.#socket = socket;
    this.#owner = owner;
    this.#frames = new FrameReader(owner.maxFrameBytes);
    socket.on("data", (chunk) => {
      if (this.#closed) return;
      this.#frames.push(chunk);
      this.#read();
    });
    socket.on("drain", () => this.#read());
    // A connection that breaks is closed; CometBFT opens all of them again when it starts again.
    socket.on("error", nothing);
    socket.once("close", () => {
      this.#closed = true;
    });
  }

  /** Resolves when every call that this connection made has come back. */
  async done(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.all(this.#underWay);
  }

  /** Ends the connection at once; calls under way go on, without anyone to hear their answer. */
  destroy(): void {
    this.#closed = true;
    this.#socket.destroy();
  }

  /** Writes this in place of all answers that are not written yet, and closes. */
  endWithException(text: string): void {
    if (this.#closed) return;
    this.#slots.length = 0;
    this.#slots.push({ sizeBytes: 0, answer: encodeResponse(exception(text)), last: true });
    this.#write();
  }

  #hasRoom(): boolean {
    return (
      !this.#closed &&
      !this.#socket.writableNeedDrain &&
      this.#slots.length < this.#owner.maxPending &&
      this.#pendingBytes < this.#owner.maxFrameBytes
    );
  }

  #read(): void {
    try {
      while (this.#hasRoom()) {
        const frame = this.#frames.next();
        if (frame === undefined) {
          this.#socket.resume();
          return;
        }
        this.#accept(frame);
      }
      this.#socket.pause();
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      this.#owner.onClosing(error.code, String(error.facts["reason"]));
      this.destroy();
    }
  }

  #accept(frame: Bytes): void {
    const asked = decodeRequest(frame);
    const tooMany = "tooMany" in asked;
    const kind = tooMany ? asked.tooMany : asked.case;
    // A proposer may make such a block; every honest validator refuses it, so none is ever decided.
    if (tooMany && kind !== "processProposal") throw malformed("request_elements");
    const call: Call = tooMany ? async () => processProposal(false) : callOf(asked);
    const slot: Slot = { sizeBytes: frame.length };
    this.#slots.push(slot);
    this.#pendingBytes += frame.length;
    const running = this.#run(kind, call).then((answer) => {
      if (answer === undefined) return;
      slot.answer = encodeResponse(answer);
      if (answer.case === "exception") slot.last = true;
      this.#write();
    });
    const settled = running.catch((error: unknown) => this.#owner.onBug(error, kind));
    this.#underWay.add(settled);
    void settled.then(() => this.#underWay.delete(settled));
  }

  /** Calls the handler when it is its turn; nothing comes of it if the connection is closed before. */
  #run(kind: Kind, call: Call): Promise<Answered | undefined> {
    // A closed connection's own calls are what the others wait for, so it waits for nothing.
    const settle = (): Promise<void> | undefined => (this.#closed ? undefined : this.#owner.orphansDone());
    const now = (): Promise<Answered | undefined> => this.#call(kind, call);
    if (kind === "info") return Promise.resolve(settle()).then(now);
    if (OVERLAPPING.has(kind)) return now();
    const result = this.#turn.then(settle).then(now);
    this.#turn = result.then(nothing, nothing);
    return result;
  }

  async #call(kind: Kind, call: Call): Promise<Answered | undefined> {
    if (this.#closed) return undefined;
    try {
      return await call(this.#owner.handlers);
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      const answer = refusal(kind, error);
      if (answer !== undefined) return answer;
      this.#owner.onClosing(error.code, kind);
      return exception(error.code);
    }
  }

  #write(): void {
    if (this.#closed) return;
    this.#socket.cork();
    for (let slot = this.#slots[0]; slot?.answer !== undefined; slot = this.#slots[0]) {
      this.#slots.shift();
      this.#pendingBytes -= slot.sizeBytes;
      this.#socket.write(frameLength(slot.answer.length));
      this.#socket.write(slot.answer);
      if (slot.last) {
        this.#closed = true;
        this.#socket.end();
        // Whatever still comes is thrown away, so that the other side's end is seen.
        this.#socket.resume();
        break;
      }
    }
    process.nextTick(() => this.#socket.uncork());
    if (!this.#closed) this.#read();
  }
}
