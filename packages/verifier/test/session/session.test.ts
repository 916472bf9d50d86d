import assert from "node:assert/strict";
import { createHash, generateKeyPairSync, sign, verify } from "node:crypto";
import { test } from "node:test";
import {
  contentDigest,
  fromByteSequence,
  parseSignatureHeaders,
  type RequestParts,
  type SignatureParameters,
  signatureBase,
  signatureHeaders,
  toByteSequence,
} from "@xinglin/crypto/http";
import { type ActorId, cbor, Fault, toHex, type UnixSeconds, utf8 } from "@xinglin/primitives";
import fc from "fast-check";
import {
  decodeSessionRequest,
  decodeSessionStatement,
  encodeSessionRequest,
  encodeSessionStatement,
  type SessionStatement,
  sessionId,
} from "../../src/session/statement.ts";

const statement: SessionStatement = {
  type: "xinglin-session/1",
  chain: "demo-0123456789ab",
  actor: "00112233445566778899aabbccddeeff" as ActorId,
  key: "0123456789abcdef",
  suite: "p256",
  requestKey: { suite: "ed25519", key: new Uint8Array(32).fill(7) },
  notBefore: 1_700_000_000 as UnixSeconds,
  notAfter: 1_700_000_900 as UnixSeconds,
};
const parameters: SignatureParameters = {
  created: 1_700_000_001,
  nonce: new Uint8Array(16).fill(1),
  session: "00".repeat(16),
  suite: "ed25519",
  hasBody: true,
};
const request: RequestParts = {
  method: "POST",
  authority: "localhost:8480",
  path: "/v1/x",
  query: "a=1",
  contentDigest: "sha-256=:AA==:",
};

test("a statement survives its encoding, and its name is the hash of its bytes", () => {
  const bytes = encodeSessionStatement(statement);
  assert.deepEqual(decodeSessionStatement(bytes), statement);
  assert.equal(sessionId(bytes), createHash("sha256").update(bytes).digest("hex").slice(0, 32));
  const signed = { statement: bytes, signature: new Uint8Array(64) };
  assert.equal(toHex(decodeSessionRequest(encodeSessionRequest(signed)).statement), toHex(bytes));
});

for (const [why, change] of Object.entries({
  "another type": { type: "xinglin-session/2" },
  "an unknown element": { admin: true },
  "a passkey as request key": { requestKey: { suite: "webauthn", key: new Uint8Array(33) } },
  "a key of another length": { requestKey: { suite: "ed25519", key: new Uint8Array(31) } },
}))
  test(`a statement with ${why} is malformed`, () => {
    const bytes = cbor.encode({ ...statement, ...change });
    assert.throws(
      () => decodeSessionStatement(bytes),
      (e) => e instanceof Fault && e.code === "malformed",
    );
  });

test("the content digest agrees with RFC 9530 appendix B.1", () => {
  const sha256 = createHash("sha256").update('{"hello": "world"}\n').digest();
  assert.equal(contentDigest(sha256), "sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:");
});

test("the signature base has the lines of RFC 9421 section 2.5, in order", () => {
  assert.equal(
    new TextDecoder().decode(signatureBase(request, parameters)),
    [
      '"@method": POST',
      '"@authority": localhost:8480',
      '"@path": /v1/x',
      '"@query": ?a=1',
      '"content-digest": sha-256=:AA==:',
      '"@signature-params": ("@method" "@authority" "@path" "@query" "content-digest");created=1700000001;nonce="AQEBAQEBAQEBAQEBAQEBAQ";keyid="00000000000000000000000000000000";alg="ed25519"',
    ].join("\n"),
  );
});

test("every covered part changes the signed bytes, and a signature over them verifies only as it was made", () => {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  const signature = sign(null, signatureBase(request, parameters), privateKey);
  const holds = (r: RequestParts, p: SignatureParameters): boolean => verify(null, signatureBase(r, p), publicKey, signature);
  assert.ok(holds(request, parameters));
  const parts: RequestParts[] = [
    { ...request, method: "PUT" },
    { ...request, authority: "localhost:8481" },
    { ...request, path: "/v1/y" },
    { ...request, query: "a=2" },
    { ...request, contentDigest: "sha-256=:AQ==:" },
  ];
  for (const other of parts) assert.ok(!holds(other, parameters), JSON.stringify(other));
  const changed: SignatureParameters[] = [
    { ...parameters, created: parameters.created + 1 },
    { ...parameters, nonce: new Uint8Array(16).fill(2) },
    { ...parameters, session: "01".repeat(16) },
    { ...parameters, suite: "p256" },
    { ...parameters, hasBody: false },
  ];
  for (const other of changed) assert.ok(!holds(request, other), toHex(other.nonce));
});

test("headers are read as they were written, and one changed character is malformed or reads as something else", () => {
  const signature = new Uint8Array(64).fill(9);
  const headers = signatureHeaders(parameters, signature);
  const read = parseSignatureHeaders(headers["signature-input"], headers.signature);
  assert.deepEqual(read, { parameters, signature });

  let malformed = 0;
  let different = 0;
  fc.assert(
    fc.property(fc.nat(headers["signature-input"].length - 1), fc.constantFrom(...' "();=A0z@-'), (at, symbol) => {
      const input = headers["signature-input"];
      const changed = input.slice(0, at) + symbol + input.slice(at + 1);
      if (changed === input) return true;
      try {
        const other = parseSignatureHeaders(changed, headers.signature).parameters;
        different++;
        return signatureHeaders(other, signature)["signature-input"] === changed;
      } catch (e) {
        malformed++;
        return e instanceof Fault && e.code === "request_signature_malformed";
      }
    }),
    { numRuns: 1_000 },
  );
  assert.ok(malformed > 100 && different > 20, `${malformed} malformed, ${different} different`);
});

test("byte sequences have one spelling", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => assert.deepEqual(fromByteSequence(toByteSequence(bytes)), bytes)),
  );
  for (const wrong of [":AA=:", ":AA:", "AA==", ":AB==:", ":A===:", ":A_==:", "::x", ":A:"])
    assert.equal(fromByteSequence(wrong), undefined, wrong);
  assert.equal(toByteSequence(utf8("")), "::");
});
