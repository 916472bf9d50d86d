import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { cbor, toHex } from "@xinglin/primitives";
import { decodeLightBlock, decodeWithKnownValidators, headerHash } from "@xinglin/verifier";
import { createApi } from "../src/create-api.ts";
import { Stage } from "./stage.ts";

const PEERS = ["https://records.second.example", "http://localhost:9001"];
let stage: Stage;
before(async () => {
  stage = await Stage.open({ peers: PEERS });
});
after(() => stage.close());

test("a block of a height may be kept for ever, the newest and what is not there may not", async () => {
  const first = await stage.fetch("/v1/light-blocks/1");
  assert.equal(first.headers.get("cache-control"), "public, max-age=31536000, immutable");
  assert.equal((await stage.fetch("/v1/light-blocks/newest")).headers.get("cache-control"), "no-store");
  const missing = await stage.fetch("/v1/light-blocks/99999999");
  assert.deepEqual([missing.status, missing.headers.get("cache-control")], [404, "no-store"]);
  assert.equal((await missing.json()).code, "height_unknown");
});

test("what the caller has is not sent again: the validators, or all of it", async () => {
  const whole = await (await stage.fetch("/v1/light-blocks/1")).bytes();
  const block = decodeLightBlock(whole);
  const { validatorsHash } = block.header;
  const short = await (await stage.fetch(`/v1/light-blocks/1?validators=${toHex(validatorsHash)}`)).bytes();
  assert.ok(short.length < whole.length - 70, `${short.length} of ${whole.length}`);
  assert.deepEqual(decodeWithKnownValidators(short, block.validators), block);
  assert.throws(() => decodeWithKnownValidators(short, undefined), { code: "malformed" });
  assert.throws(() => decodeWithKnownValidators(short, [{ ...block.validators[0]!, power: 2 }]), { code: "malformed" });
  const other = await (await stage.fetch(`/v1/light-blocks/1?validators=${"00".repeat(32)}`)).bytes();
  assert.deepEqual(other, whole);

  const same = await stage.fetch(`/v1/light-blocks/1?header=${toHex(headerHash(block.header))}`);
  assert.deepEqual([same.status, (await same.bytes()).length], [204, 0]);
  assert.equal((await stage.fetch(`/v1/light-blocks/1?header=${"00".repeat(32)}`)).status, 200);
  assert.equal((await stage.fetch("/v1/light-blocks/1?header=zz")).status, 400);
});

test("pages of other members may read light blocks and the refusal, and nothing else", async () => {
  const ask = (path: string): Promise<Response> => stage.fetch(path, { headers: { origin: "https://another.example" } });
  for (const path of ["/v1/light-blocks/1", "/v1/light-blocks/newest", "/v1/light-blocks/99999999"])
    assert.equal((await ask(path)).headers.get("access-control-allow-origin"), "*", path);
  for (const path of ["/v1/genesis", "/v1/status", "/v1/peers", "/v1/members"])
    assert.equal((await ask(path)).headers.get("access-control-allow-origin"), null, path);
});

test("the page is told of the other members' nodes, and its policy lets it ask them", async () => {
  const answer = await stage.fetch("/v1/peers");
  assert.deepEqual(await answer.json(), { peers: PEERS });
  assert.match(
    answer.headers.get("content-security-policy") ?? "",
    /connect-src 'self' https:\/\/records\.second\.example http:\/\/localhost:9001;/,
  );
});

test("an address that is more than an address is refused at start", async () => {
  const base = { ledger: stage.ledger, index: stage.index, host: "localhost", port: 0 };
  for (const address of [
    "records.example",
    "https://a.example/path",
    "https://a.example; script-src *",
    "ftp://a.example",
    "https://A.example",
  ])
    await assert.rejects(createApi({ ...base, peers: [address] }), { code: "peer_address_wrong", facts: { address } });
});

test("a range is light blocks of successive heights, as many as there are and as were asked for", async () => {
  const range = async (query: string): Promise<Uint8Array[]> =>
    cbor.decode(await (await stage.fetch(`/v1/light-blocks?${query}`)).bytes(), 1_048_576) as Uint8Array[];
  const newest = stage.ledger.height();
  const two = await range("from=1&count=2");
  assert.deepEqual(
    two,
    [stage.ledger.lightBlock(1), stage.ledger.lightBlock(2)].filter((block) => block !== undefined),
  );
  const rest = await range("from=1&count=256");
  assert.ok(rest.length >= newest - 1 && rest.length <= newest + 1, `${rest.length} of ${newest}`);
  assert.equal((await stage.fetch("/v1/light-blocks?from=99999999&count=1")).status, 404);
  for (const query of ["", "?from=0&count=1", "?from=1&count=257", "?from=1&count=0", "?from=1"])
    assert.equal((await stage.fetch(`/v1/light-blocks${query}`)).status, 400, query);
});

test("a statement of the node is for the asker's own random bytes, or there is none", async () => {
  assert.equal((await stage.fetch(`/v1/node/statement?nonce=${"00".repeat(32)}`)).status, 404);
  assert.equal((await stage.fetch("/v1/node/statement?nonce=00")).status, 400);
  const nodeStatement = async (nonce: Uint8Array): Promise<Uint8Array> => nonce;
  const api = await createApi({ ledger: stage.ledger, index: stage.index, host: "localhost", port: 0, nodeStatement });
  try {
    await api.listen();
    const told = await fetch(`${api.url}/v1/node/statement?nonce=${"ab".repeat(32)}`);
    assert.equal(toHex(new Uint8Array(await told.arrayBuffer())), "ab".repeat(32));
  } finally {
    await api.close();
  }
});

test("how a node is, its clock's offset too, as it says at that moment", async () => {
  assert.equal((await stage.fetch("/v1/node")).status, 404);
  let clockOffsetSeconds: number | undefined = -180;
  const node = async () => ({
    driver: "cometbft",
    freeMegabytes: 1,
    ...(clockOffsetSeconds === undefined ? {} : { clockOffsetSeconds }),
  });
  const api = await createApi({ ledger: stage.ledger, index: stage.index, host: "localhost", port: 0, node });
  try {
    await api.listen();
    const told = async (): Promise<unknown> => (await fetch(`${api.url}/v1/node`)).json();
    assert.deepEqual(await told(), { driver: "cometbft", freeMegabytes: 1, clockOffsetSeconds: -180 });
    clockOffsetSeconds = undefined;
    assert.deepEqual(await told(), { driver: "cometbft", freeMegabytes: 1 });
  } finally {
    await api.close();
  }
});
