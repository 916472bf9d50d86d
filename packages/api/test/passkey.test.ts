/** A session by a passkey: one assertion opens it, and a P-256 request key signs from then on. */
import assert from "node:assert/strict";
import { createHash, createPrivateKey, type KeyObject, sign } from "node:crypto";
import { after, before, test } from "node:test";
import { encodeAssertion, p256Signer, randomBytes, type Signer } from "@xinglin/crypto";
import { signatureBase, signatureHeaders } from "@xinglin/crypto/http";
import { keyId } from "@xinglin/crypto/pure";
import { concat, fromHex, toBase64url, type UnixSeconds, utf8 } from "@xinglin/primitives";
import { encodeSessionRequest, encodeSessionStatement, type SessionStatement, sessionId } from "@xinglin/verifier/session";
import { idOf, Stage, seconds, sha } from "./stage.ts";

let stage: Stage;
before(async () => {
  stage = await Stage.open();
});
after(() => stage.close());

const ORIGIN = "https://localhost";
const raw = sha("passkey");
const { publicKey } = p256Signer(raw);
/** SEC1 private key in DER, up to the key and after it (RFC 5915, curve P-256). */
const privateKey: KeyObject = createPrivateKey({
  key: Buffer.from(concat(fromHex("30310201010420"), raw, fromHex("a00a06082a8648ce3d030107"))),
  format: "der",
  type: "sec1",
});

/** What an authenticator and a browser make of a message. */
function assertion(message: Uint8Array, origin = ORIGIN, flags = 0x05): Uint8Array {
  const challenge = toBase64url(new Uint8Array(createHash("sha256").update(message).digest()));
  const clientDataJSON = utf8(`{"type":"webauthn.get","challenge":"${challenge}","origin":"${origin}","crossOrigin":false}`);
  const authenticatorData = concat(new Uint8Array(32), Uint8Array.of(flags), new Uint8Array(4));
  const signed = concat(authenticatorData, new Uint8Array(createHash("sha256").update(clientDataJSON).digest()));
  return encodeAssertion({ authenticatorData, clientDataJSON, signature: new Uint8Array(sign("sha256", signed, privateKey)) });
}

const staff = idOf<SessionStatement["actor"]>("passkey holder");
const statementFor = (requestKey: Signer): SessionStatement => ({
  type: "xinglin-session/1",
  chain: stage.ledger.chainId,
  actor: staff,
  key: keyId("webauthn", publicKey),
  suite: "webauthn",
  requestKey: { suite: "p256", key: requestKey.publicKey },
  notBefore: (seconds() - 5) as UnixSeconds,
  notAfter: (seconds() + 800) as UnixSeconds,
});

test("a passkey opens a session whose requests another key signs", async () => {
  await stage.accepted("hospital-a", {
    op: "registerActor",
    id: staff,
    kind: "staff",
    key: { suite: "webauthn", key: publicKey },
  });
  const requestKey = p256Signer(randomBytes(32));
  const statement = encodeSessionStatement(statementFor(requestKey));
  const open = (signature: Uint8Array) => stage.post("/v1/sessions", encodeSessionRequest({ statement, signature }));
  assert.equal((await open(assertion(utf8("another message")))).status, 403);
  assert.equal((await open(assertion(statement, "https://evil.example"))).status, 403);
  assert.equal((await open(assertion(statement, ORIGIN, 0x01))).status, 403, "the user was not verified");
  assert.equal((await open(assertion(statement))).status, 201);

  const parameters = {
    created: seconds(),
    nonce: randomBytes(16),
    session: sessionId(statement),
    suite: "p256" as const,
    hasBody: false,
  };
  const request = { method: "GET", authority: new URL(stage.api.url).host, path: "/v1/grants", query: "" };
  const signature = await requestKey.sign(signatureBase(request, parameters));
  const answer = await stage.fetch("/v1/grants", { headers: signatureHeaders(parameters, signature) });
  assert.equal(answer.status, 200);
  const other = { ...parameters, nonce: randomBytes(16), suite: "ed25519" as const };
  const mixed = await stage.fetch("/v1/grants", {
    headers: signatureHeaders(other, await requestKey.sign(signatureBase(request, other))),
  });
  assert.equal((await mixed.json()).code, "request_signature_wrong");
});
