import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { ed25519Signer, randomBytes } from "@xinglin/crypto";
import { contentDigest } from "@xinglin/crypto/http";
import { sha256 } from "@xinglin/crypto/pure";
import type { ActorId, Bytes, MemberId } from "@xinglin/primitives";
import { utf8 } from "@xinglin/primitives";
import { decodeSessionRequest, decodeSessionStatement, MAX_SESSION_SECONDS } from "@xinglin/verifier/session";
import { openSession } from "../src/session.ts";

const identity = {
  actor: "11".repeat(16) as ActorId,
  member: "hospital-a" as MemberId,
  signer: ed25519Signer(randomBytes(32)),
};
const server = { chainId: "xinglin-0123456789abcdef", authority: "localhost:8750" };

test("a session lasts as long as a server grants and is renewed a minute before", async (t) => {
  mock.timers.enable({ apis: ["Date"], now: 1_770_000_000_000 });
  t.after(() => mock.timers.reset());
  let posted: Bytes | undefined;
  const session = await openSession(identity, server, async (body) => {
    posted = body;
    return new Uint8Array();
  });
  const statement = decodeSessionStatement(decodeSessionRequest(posted as Bytes).statement);
  assert.equal(statement.actor, identity.actor);
  assert.equal(statement.chain, server.chainId);
  assert.equal(statement.notAfter - statement.notBefore, MAX_SESSION_SECONDS);
  assert.ok(statement.notBefore < 1_770_000_000, "a server whose clock is behind takes it too");

  assert.equal(session.isEnding(), false);
  mock.timers.setTime((statement.notAfter - 60) * 1000);
  assert.equal(session.isEnding(), false);
  mock.timers.setTime((statement.notAfter - 59) * 1000);
  assert.equal(session.isEnding(), true);
});

test("each request has a nonce and a signature of its own, and a body its digest", async () => {
  const session = await openSession(identity, server, async () => new Uint8Array());
  const body = utf8("body");
  const one = await session.sign("POST", "/v1/x?a=1", body);
  const two = await session.sign("POST", "/v1/x?a=1", body);
  assert.equal(one["content-digest"], contentDigest(sha256(body)));
  const headers = (signed: Record<string, string>) => Object.entries(signed).filter(([name]) => /signature/i.test(name));
  assert.equal(headers(one).length, 2);
  for (const [i, [name, value]] of headers(one).entries()) assert.notEqual(value, headers(two)[i]?.[1], name);
  assert.equal((await session.sign("GET", "/v1/x", undefined))["content-digest"], undefined);
});
