/** Live events: who gets which, in order, none twice and none missed, over a break and at the end of a right. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { randomBytes } from "@xinglin/crypto";
import { nodeEd25519Signer } from "@xinglin/crypto/node";
import { anchor, type Caller, grantToB, type Json, keyOf, people, readRecord, Stage } from "./stage.ts";

let stage: Stage;
before(async () => {
  stage = await Stage.open({ limits: { heartbeatMs: 50, streamsPerActor: 3 } });
  await stage.populate();
});
after(() => stage.close());

interface Event {
  readonly event: string;
  readonly id: string;
  readonly data: Json;
}

/** A stream that is read event by event. */
class Listener {
  readonly #stop = new AbortController();
  readonly #events: AsyncGenerator<Event>;
  comments = 0;

  private constructor(answer: Response, stop: AbortController) {
    this.#stop = stop;
    this.#events = this.#read(answer);
  }
  static async open(caller: Caller, lastEventId?: string): Promise<Listener> {
    const stop = new AbortController();
    const headers = {
      ...(await caller.headers("GET", "/v1/events")),
      ...(lastEventId === undefined ? {} : { "last-event-id": lastEventId }),
    };
    const answer = await stage.fetch("/v1/events", { headers, signal: stop.signal });
    assert.equal(answer.status, 200);
    assert.match(answer.headers.get("content-type") ?? "", /^text\/event-stream/);
    assert.equal(answer.headers.get("x-content-type-options"), "nosniff");
    return new Listener(answer, stop);
  }

  async *#read(answer: Response): AsyncGenerator<Event> {
    let text = "";
    for await (const chunk of answer.body!.pipeThrough(new TextDecoderStream() as never) as unknown as AsyncIterable<string>) {
      text += chunk;
      for (let end = text.indexOf("\n\n"); end >= 0; end = text.indexOf("\n\n")) {
        const lines = text.slice(0, end).split("\n");
        text = text.slice(end + 2);
        const field = (name: string): string => lines.find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2) ?? "";
        if (field("data") === "") this.comments++;
        else yield { event: field("event"), id: field("id"), data: JSON.parse(field("data")) };
      }
    }
  }

  /** The next event of a kind; undefined when the server has ended the stream. */
  async next(kind: string): Promise<Event | undefined> {
    for (;;) {
      const { done, value } = await this.#events.next();
      if (done === true || value.event === kind) return done === true ? undefined : value;
    }
  }
  close(): void {
    this.#stop.abort();
  }
}

test("a patient sees a read as it happens, and nothing of another patient", async () => {
  const mine = await Listener.open(await stage.as("patient"));
  const theirs = await Listener.open(await stage.as("stranger"));
  await stage.accepted("patient", grantToB());
  const permit = await stage.accepted("doctorB", readRecord());
  await stage.accepted("doctorA", anchor("of the stranger", "stranger"));

  const events = [await mine.next("entry"), await mine.next("entry")];
  assert.deepEqual(
    events.map((event) => event?.data.operation),
    ["grantConsent", "requestAccess"],
  );
  assert.equal(events[1]?.id, String(permit.sequence));
  assert.equal(events[1]?.data.by.actor, people.doctorB.id);
  const foreign = await theirs.next("entry");
  assert.equal(foreign?.data.operation, "anchorRecord");
  assert.equal(foreign?.data.subject.patient, people.stranger.id);
  mine.close();
  theirs.close();
});

test("blocks are told with their height", async () => {
  const listener = await Listener.open(await stage.as("commission"));
  const before = stage.ledger.height();
  await stage.accepted("hospital-a", { op: "anchorBatch", root: new Uint8Array(32).fill(40), count: 1 });
  const block = await listener.next("block");
  assert.ok(block?.data.height > before);
  assert.ok(block?.data.provable >= before - 1);
  assert.ok(block?.data.time > 0);
  listener.close();
});

test("who comes back with Last-Event-ID misses nothing and sees nothing twice", async () => {
  const caller = await stage.as("hospital-b");
  const anchorOf = (n: number) => stage.accepted("hospital-b", { op: "anchorBatch", root: new Uint8Array(32).fill(n), count: 1 });
  const first = await Listener.open(caller);
  await anchorOf(50);
  const seen = await first.next("entry");
  first.close();
  const missed: number[] = [];
  // More than one page of the stream, with entries of others in between.
  for (let n = 0; n < 3; n++) {
    missed.push((await anchorOf(60 + n)).sequence);
    await stage.accepted("hospital-a", { op: "anchorBatch", root: new Uint8Array(32).fill(80 + n), count: 1 });
  }
  const second = await Listener.open(caller, seen!.id);
  const resumed: number[] = [];
  for (const _ of missed) resumed.push(Number((await second.next("entry"))?.id));
  assert.deepEqual(resumed, missed);
  const live = await anchorOf(70);
  assert.equal((await second.next("entry"))?.id, String(live.sequence));
  second.close();

  const bad = await caller.get("/v1/events", { "last-event-id": "x" });
  assert.equal(bad.status, 400);
});

test("a stream over many entries is whole and in order", async () => {
  const operations = Array.from({ length: 350 }, (_, n) => ({
    op: "anchorBatch" as const,
    root: keyOf(`batch ${n}`).publicKey,
    count: 1,
  }));
  const start = stage.ledger.entryCount();
  const answer = await stage.post("/v1/transactions?wait=committed", await stage.transaction("hospital-b", operations));
  assert.equal(answer.status, 200);
  const listener = await Listener.open(await stage.as("commission"), String(start - 1));
  for (let n = 0; n < operations.length; n++) assert.equal((await listener.next("entry"))?.id, String(start + n));
  listener.close();
});

test("heartbeats keep a quiet line open, and a suspension ends it", async () => {
  const listener = await Listener.open(await stage.as("doctorB"));
  const ended = listener.next("nothing of this kind");
  await stage.accepted("hospital-b", { op: "setActorStatus", id: people.doctorB.id, status: "suspended" });
  assert.equal(await ended, undefined);
  assert.ok(listener.comments > 0);
});

test("streams of one caller are limited, and a closed one makes room", async () => {
  const caller = await stage.as("custodian-a");
  const open = [await Listener.open(caller), await Listener.open(caller), await Listener.open(caller)];
  assert.equal((await caller.get("/v1/events")).status, 429);
  open[0]?.close();
  let status = 429;
  for (let attempt = 0; status === 429 && attempt < 100; attempt++) {
    const answer = await caller.get("/v1/events");
    status = answer.status;
    await (status === 200 ? answer.body?.cancel() : answer.arrayBuffer());
  }
  assert.equal(status, 200);
  for (const listener of open) listener.close();
});

test("a key that is replaced takes its open streams with it", async () => {
  const listener = await Listener.open(await stage.as("stranger"));
  const ended = listener.next("nothing of this kind");
  const { publicKey } = nodeEd25519Signer(randomBytes(32));
  await stage.accepted("stranger", { op: "replaceKey", publicKey: { suite: "ed25519", key: publicKey } });
  assert.equal(await ended, undefined);
});
