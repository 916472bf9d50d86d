import assert from "node:assert/strict";
import { test } from "node:test";
import type { ApiClient, Identity } from "@xinglin/client";
import { type ActorId, Fault, type MemberId } from "@xinglin/primitives";
import { Feed, type Member, type Snapshot } from "../src/feed/feed.ts";
import type { AccessRow } from "../src/feed/rows.ts";
import { accessRow } from "./rows.ts";

/** A server whose lists and lines the test holds in its hand. */
class FakeServer {
  readonly rows = new Map<ActorId, AccessRow[]>();
  /** What each request of a pseudonym fails with. */
  readonly faults = new Map<ActorId, Fault>();
  readonly #lines = new Map<ActorId, ReadableStreamDefaultController<Uint8Array>>();

  get open(): readonly ActorId[] {
    return [...this.#lines.keys()];
  }
  get client(): ApiClient {
    return {
      getJson: async (path: string, { actor }: Identity) => {
        const fault = this.faults.get(actor);
        if (fault !== undefined) throw fault;
        return { items: path.includes("/accesses") ? (this.rows.get(actor) ?? []) : [] };
      },
      stream: async (_: string, { actor }: Identity, { signal }: { signal: AbortSignal }) => {
        const fault = this.faults.get(actor);
        if (fault !== undefined) throw fault;
        return new ReadableStream<Uint8Array>({
          start: (line) => {
            this.#lines.set(actor, line);
            signal.addEventListener("abort", () => this.hangUp(actor));
          },
        });
      },
    } as unknown as ApiClient;
  }
  send(actor: ActorId, event: string, data: object): void {
    this.#lines.get(actor)?.enqueue(new TextEncoder().encode(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`));
  }
  hangUp(actor: ActorId): void {
    this.#lines.get(actor)?.close();
    this.#lines.delete(actor);
  }
}

const pseudonym = (digit: string): Member => {
  const actor = digit.repeat(32) as ActorId;
  const identity = { actor, member: "hospital-a" as MemberId } as Identity;
  return { identity, holding: { patient: actor, member: identity.member } as Member["holding"] };
};
/** Waits for the feed to come to a state; there is nothing to wait for but its own word. */
const until = (feed: Feed, holds: (snapshot: Snapshot) => boolean): Promise<Snapshot> =>
  new Promise((resolve) => {
    const look = (): void => {
      if (!holds(feed.snapshot())) return;
      stop();
      resolve(feed.snapshot());
    };
    const stop = feed.subscribe(look);
    queueMicrotask(look);
  });

async function open(count: number): Promise<{ server: FakeServer; feed: Feed; actors: ActorId[]; retired: ActorId[] }> {
  const server = new FakeServer();
  const members = Array.from({ length: count }, (_, i) => pseudonym(String(i + 1)));
  const retired: ActorId[] = [];
  const feed = new Feed(server.client, members, (actor) => retired.push(actor));
  feed.start();
  await until(feed, ({ line }) => line === "live");
  await feed.refreshAll();
  return { server, feed, actors: members.map(({ identity }) => identity.actor), retired };
}

test("an event brings its row, marked as new; rows of before are not", async () => {
  const { server, feed, actors } = await open(1);
  const [actor] = actors as [ActorId];
  server.rows.set(actor, [accessRow({ sequence: 7, patient: actor })]);
  server.send(actor, "entry", { operation: "requestAccess" });
  const { fresh, accesses } = await until(feed, ({ fresh }) => fresh.size > 0);
  assert.deepEqual([...fresh], [7]);
  assert.equal(accesses.get(actor)?.rows.length, 1);
  feed.stop();
});

test("no more lines are held than a browser can spare; the others follow with each block", async () => {
  const { server, feed, actors } = await open(5);
  assert.deepEqual(server.open, actors.slice(0, 3));
  const last = actors[4] as ActorId;
  server.rows.set(last, [accessRow({ sequence: 9, patient: last })]);
  server.send(actors[0] as ActorId, "block", { height: 2 });
  const { fresh } = await until(feed, ({ fresh }) => fresh.size > 0);
  assert.deepEqual([...fresh], [9]);
  feed.stop();
});

test("a key that was replaced is told once and followed no more; the other pseudonyms go on", async () => {
  const { server, feed, actors, retired } = await open(2);
  const [first, second] = actors as [ActorId, ActorId];
  server.faults.set(first, new Fault("key_retired"));
  server.hangUp(first);
  const snapshot = await until(feed, ({ retired: gone, line }) => gone.has(first) && line === "live");
  assert.deepEqual(retired, [first]);
  assert.equal(snapshot.fault, undefined);
  server.rows.set(second, [accessRow({ sequence: 3, patient: second })]);
  server.send(second, "entry", { operation: "requestAccess" });
  await until(feed, ({ fresh }) => fresh.has(3));
  assert.deepEqual(server.open, [second]);
  feed.stop();
});

test("a locked passkey says so, and unlocking clears it; another fault is kept until a request succeeds", async () => {
  const { server, feed, actors } = await open(1);
  const [actor] = actors as [ActorId];
  server.faults.set(actor, new Fault("unlock_needed", {}, { retry: true }));
  await feed.refreshAll();
  assert.equal(feed.snapshot().line, "locked");
  server.faults.set(actor, new Fault("ledger_unavailable", {}, { retry: true }));
  await feed.refreshAll();
  assert.equal(feed.snapshot().fault?.code, "ledger_unavailable");
  server.faults.clear();
  await feed.refreshAll();
  assert.equal(feed.snapshot().fault, undefined);
  assert.equal(feed.snapshot().line, "live");
  feed.stop();
});
