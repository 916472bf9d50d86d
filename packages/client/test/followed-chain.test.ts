import assert from "node:assert/strict";
import { test } from "node:test";
import { nodeCurves, nodeEd25519Signer } from "@xinglin/crypto/node";
import { sha256 } from "@xinglin/crypto/pure";
import { cbor, Fault, toHex, utf8 } from "@xinglin/primitives";
import {
  DAILY_BYTES,
  encodeLightBlock,
  followChain,
  genesisTrust,
  headerHash,
  type LightBlock,
  memoryLightStore,
  withoutValidators,
} from "@xinglin/verifier";
import { forge, TestChain, type TestValidator, validatorSet } from "@xinglin/verifier/testing";
import { ApiClient } from "../src/api-client.ts";
import { FollowedChain, parseCheckpoint, peersOf } from "../src/followed-chain.ts";

const GENESIS_SECONDS = 1_767_225_600;
const verify = nodeCurves.ed25519;
const validators = (count: number, from = 0): TestValidator[] =>
  Array.from({ length: count }, (_, i) => ({ signer: nodeEd25519Signer(sha256(utf8(`v${from + i}`))), power: 10 }));
const genesisOf = (set: readonly TestValidator[]): Uint8Array =>
  cbor.encode({
    type: "xinglin-genesis/1",
    name: "test",
    time: GENESIS_SECONDS,
    validators: validatorSet(set).map((validator) => ({ ...validator, member: "commission" })),
  });

/** Nodes by their address, each with its own blocks, answering as the API does. */
class Net {
  readonly nodes = new Map<string, () => readonly LightBlock[]>();
  readonly genesis: Uint8Array;
  readonly down = new Set<string>();
  requests = 0;

  constructor(genesis: Uint8Array) {
    this.genesis = genesis;
  }

  readonly fetch = (async (input: string) => {
    const url = new URL(input);
    this.requests += 1;
    const blocks = this.nodes.get(url.origin)?.();
    if (blocks === undefined || this.down.has(url.origin)) throw new TypeError("fetch failed");
    if (url.pathname === "/v1/genesis") return new Response(this.genesis as Uint8Array<ArrayBuffer>);
    const asked = url.pathname.split("/").at(-1);
    const found = asked === "newest" ? blocks.at(-1) : blocks[Number(asked) - 1];
    if (found === undefined) return Response.json({ code: "height_unknown", facts: { height: blocks.length } }, { status: 404 });
    if (url.searchParams.get("header") === toHex(headerHash(found.header))) return new Response(null, { status: 204 });
    const bytes = encodeLightBlock(found);
    const isKnown = url.searchParams.get("validators") === toHex(found.header.validatorsHash);
    return new Response((isKnown ? withoutValidators(bytes) : bytes) as Uint8Array<ArrayBuffer>);
  }) as typeof fetch;

  client(origin: string): ApiClient {
    // What the answer of the genesis is decoded with wants a whole document; the light client reads only its own part.
    const client = new ApiClient({ url: origin, fetch: this.fetch });
    return Object.assign(client, { genesis: async () => ({ bytes: this.genesis, chainId: genesisTrust(this.genesis).chainId }) });
  }
}
const origins = (count: number): string[] => Array.from({ length: count }, (_, i) => `https://node-${i}.example`);

for (const [count, freshSeconds] of [
  [4, 800],
  [7, 1_000],
  [20, 1_200],
] as const)
  test(`a day of following ${count} validators with 10 s blocks costs at most 1 MB, and is never older than ${freshSeconds} s`, async (t) => {
    const set = validators(count);
    const net = new Net(genesisOf(set));
    const chain = new TestChain(genesisTrust(net.genesis).chainId, set);
    const urls = origins(count);
    for (const url of urls) net.nodes.set(url, () => chain.blocks);
    await chain.next();
    await chain.next();
    let now = GENESIS_SECONDS + 10;
    const followed = await FollowedChain.open({
      client: net.client(urls[0] as string),
      witnesses: urls.slice(1),
      verify,
      now: () => now,
      fetch: net.fetch,
    });
    const stop = new AbortController();
    const end = now + 86_400;
    let looks = 0;
    let longest = 0;
    await followChain({
      follower: followed,
      bytes: () => followed.bytes,
      signal: stop.signal,
      onReport: ({ witnesses }, rest) => {
        looks += 1;
        // The first look asks every node; what it costs more is paid by the first rest.
        if (looks > 1) longest = Math.max(longest, rest);
        assert.ok(witnesses.every(({ outcome }) => outcome === "agrees"));
      },
      rest: async (seconds) => {
        now += seconds;
        // A third of the validators is replaced at noon.
        const change = looks === 30 ? [...set.slice(Math.ceil(count / 3)), ...validators(Math.ceil(count / 3), 100)] : undefined;
        // The chain makes a block every ten seconds; only those that are asked for are made here.
        await chain.next({ seconds, ...(change === undefined ? {} : { nextValidators: change }) });
        if (now >= end) stop.abort();
      },
    });
    t.diagnostic(`${count} validators: ${followed.bytes} bytes in ${looks} looks, at most ${longest} s between two`);
    assert.ok(followed.bytes <= DAILY_BYTES, `${followed.bytes} bytes`);
    assert.ok(longest <= freshSeconds, `${longest} s`);
  });

test("a lying node among two is caught; the other is named by its address", async () => {
  const set = validators(4);
  const net = new Net(genesisOf(set));
  const chain = new TestChain(genesisTrust(net.genesis).chainId, set);
  for (let height = 1; height <= 5; height++) await chain.next();
  const lie = await forge(chain.blocks[4] as LightBlock, { appHash: new Uint8Array(32) }, set);
  const [honest, liar, gone] = origins(3) as [string, string, string];
  net.nodes.set(honest, () => chain.blocks);
  net.nodes.set(liar, () => [...chain.blocks.slice(0, 4), lie]);
  const store = memoryLightStore();
  const open = (witnesses: readonly string[]): Promise<FollowedChain> =>
    FollowedChain.open({
      client: net.client(honest),
      witnesses,
      store,
      verify,
      now: () => GENESIS_SECONDS + 10,
      fetch: net.fetch,
    });
  // Its own address is no witness; one that can't be reached is said aloud.
  const alone = await open([honest, gone]);
  const report = await alone.update();
  assert.deepEqual(report.witnesses, [{ name: gone, outcome: "unreachable", code: "api_unreachable" }]);
  assert.equal(report.witnessCount, 1);
  const both = await open([liar]);
  await assert.rejects(both.update(), (error: Fault) => error.code === "node_lied");
  assert.ok(both.fork !== undefined);
});

test("peers are read from the node that names them, and only addresses", async () => {
  const answers: unknown[] = [
    { peers: ["https://a.example", "javascript:alert(1)", "https://b.example/path", "https://%", "http://c.example:1"] },
  ];
  const client = { getJson: async () => answers[0] } as unknown as ApiClient;
  assert.deepEqual(await peersOf(client), ["https://a.example", "http://c.example:1"]);
  answers[0] = { peers: "none" };
  await assert.rejects(peersOf(client), { code: "malformed" });
  const old = {
    getJson: async () => {
      throw new Fault("route_unknown");
    },
  } as unknown as ApiClient;
  assert.deepEqual(await peersOf(old), []);
});

test("a checkpoint is read as a person writes it", () => {
  const hash = "ab".repeat(32);
  assert.deepEqual(parseCheckpoint(`${hash}@12`), { height: 12, hash: new Uint8Array(32).fill(0xab) });
  assert.deepEqual(parseCheckpoint(` ${hash.toUpperCase().replace(/(.{8})/g, "$1 ")}@ 12\n`)?.height, 12);
  for (const text of ["", hash, `${hash}@0`, `${hash}@`, `${hash.slice(1)}@12`, `${hash}@12x`, `12:${hash}`])
    assert.equal(parseCheckpoint(text), undefined, text);
});
