import assert from "node:assert/strict";
import { test } from "node:test";
import { type Bytes, cbor, concat, fromHex, toBase64url, utf8 } from "@xinglin/primitives";
import { derFromRaw, rawFromDer } from "../src/der.ts";
import { verifySync } from "../src/node/curves.ts";
import { sha256 } from "../src/pure/sha256.ts";
import { p256Signer } from "../src/signer.ts";
import { verify } from "../src/verify.ts";
import { type Assertion, encodeAssertion, type WebauthnPolicy, webauthnChallenge } from "../src/webauthn.ts";

const signer = p256Signer(new Uint8Array(32).fill(7));
const message = utf8("the body of a transaction");
const origin = "https://xinglin.example:8443";
const policy: WebauthnPolicy = { origins: ["http://localhost:8080", origin], rpIdHash: sha256(utf8("xinglin.example")) };

interface Made {
  readonly rpIdHash?: Bytes;
  readonly flags?: number;
  readonly counter?: number;
  readonly extra?: Bytes;
  readonly clientData?: string;
}
const clientDataFor = (over: Bytes, from = origin): string =>
  `{"type":"webauthn.get","challenge":"${toBase64url(webauthnChallenge(over))}","origin":"${from}","crossOrigin":false}`;

/** What an authenticator would return. */
async function assertion(made: Made = {}): Promise<Assertion> {
  const {
    rpIdHash = policy.rpIdHash,
    flags = 0x1d,
    counter = 9,
    extra = new Uint8Array(0),
    clientData = clientDataFor(message),
  } = made;
  const authenticatorData = concat(rpIdHash, Uint8Array.of(flags, 0, 0, 0, counter), extra);
  const clientDataJSON = utf8(clientData);
  const raw = await signer.sign(concat(authenticatorData, sha256(clientDataJSON)));
  return { authenticatorData, clientDataJSON, signature: derFromRaw(raw) };
}

async function answer(signature: Bytes, by: WebauthnPolicy | undefined = policy, over = message): Promise<boolean> {
  const portable = await verify("webauthn", signer.publicKey, over, signature, by);
  assert.equal(verifySync("webauthn", signer.publicKey, over, signature, by), portable, "the implementations disagree");
  return portable;
}

test("what a browser and an authenticator sign over the message's hash is accepted", async () => {
  const clientData = clientDataFor(message);
  const accepted: Record<string, Made> = {
    "a common one": {},
    "the other allowed origin": { clientData: clientDataFor(message, "http://localhost:8080") },
    "present and verified only, not synchronised": { flags: 0x05 },
    "counter of zero": { counter: 0 },
    "members that the browser adds": {
      clientData: clientData.replace(/}$/, ',"other_keys_can_be_added_here":"do not compare"}'),
    },
    "no crossOrigin": { clientData: clientData.replace(',"crossOrigin":false', "") },
  };
  for (const [name, made] of Object.entries(accepted)) assert.ok(await answer(encodeAssertion(await assertion(made))), name);
});

test("each deviation is refused", async () => {
  const clientData = clientDataFor(message);
  const refused: Record<string, Made> = {
    "another relying party": { rpIdHash: sha256(utf8("elsewhere.example")) },
    "user not present": { flags: 0x04 },
    "user not verified": { flags: 0x01 },
    "attested key announced": { flags: 0x45 },
    "extensions announced": { flags: 0x85 },
    "another message": { clientData: clientDataFor(utf8("another body")) },
    "another origin": { clientData: clientDataFor(message, "https://xinglin.example") },
    "an origin that begins alike": { clientData: clientDataFor(message, `${origin}0`) },
    "a registration": { clientData: clientData.replace("webauthn.get", "webauthn.create") },
    "a frame of another origin": { clientData: clientData.replace("false", "true") },
    "a second origin before": { clientData: clientData.replace("{", '{"origin":"https://evil.example",') },
    "members in another order": { clientData: clientData.replace(/"type":"webauthn.get",(.*)}/, '$1,"type":"webauthn.get"}') },
    "spaces in the JSON": { clientData: clientData.replaceAll(",", ", ") },
    "no end": { clientData: clientData.slice(0, -1) },
    "something that is no member": { clientData: `${clientData.slice(0, -1)}x}` },
    "too long": { clientData: clientData.replace(/}$/, `,"pad":"${"x".repeat(2_048)}"}`) },
  };
  for (const [name, made] of Object.entries(refused)) {
    const { authenticatorData, clientDataJSON, signature } = await assertion(made);
    assert.ok(!(await answer(cbor.encode({ authenticatorData, clientDataJSON, signature }))), name);
  }
});

test("the bytes have one form, and every flip and cut is refused", async () => {
  const made = await assertion();
  const bytes = encodeAssertion(made);
  const raw = rawFromDer(made.signature) as Bytes;
  const order = BigInt("0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551");
  const s = BigInt(`0x${Buffer.from(raw.subarray(32)).toString("hex")}`);
  const high = derFromRaw(concat(raw.subarray(0, 32), fromHex((order - s).toString(16).padStart(64, "0"))));
  // An authenticator may give the high s: packing it lowers it, unpacked it is refused.
  assert.deepEqual(encodeAssertion({ ...made, signature: high }), bytes);
  const refused: Record<string, Bytes> = {
    "high s": cbor.encode({ ...made, signature: high }),
    "raw instead of DER": cbor.encode({ ...made, signature: raw }),
    "another member": cbor.encode({ ...made, userHandle: new Uint8Array(1) }),
    "authenticator data with more": cbor.encode(await assertion({ extra: Uint8Array.of(0) })),
    "a byte after": concat(bytes, Uint8Array.of(0)),
    nothing: new Uint8Array(0),
  };
  for (const [name, changed] of Object.entries(refused)) assert.ok(!(await answer(changed)), name);
  for (let i = 0; i < bytes.length; i++) {
    const flipped = bytes.map((byte, at) => (at === i ? byte ^ 1 : byte));
    assert.ok(!verifySync("webauthn", signer.publicKey, message, flipped, policy), `flip of byte ${i}`);
    assert.ok(!verifySync("webauthn", signer.publicKey, message, bytes.subarray(0, i), policy), `cut at ${i}`);
  }
  assert.throws(() => encodeAssertion({ ...made, signature: raw }), { code: "malformed" });
});

test("without a policy, by another key or for another suite there is no passkey", async () => {
  const bytes = encodeAssertion(await assertion());
  assert.ok(!(await verify("webauthn", signer.publicKey, message, bytes)));
  assert.ok(!(await answer(bytes, { ...policy, origins: [] })));
  const other = p256Signer(new Uint8Array(32).fill(8));
  assert.ok(!(await verify("webauthn", other.publicKey, message, bytes, policy)));
  assert.ok(!(await verify("p256", signer.publicKey, message, bytes, policy)));
  // A plain P-256 signature by the same key is no assertion, and an assertion's is none over the message.
  assert.ok(!(await answer(await signer.sign(message))));
});
