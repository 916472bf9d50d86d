import assert from "node:assert/strict";
import { test } from "node:test";
import { randomBytes } from "@xinglin/crypto";
import { type ActorId, cbor, type MemberId, toBase64url, toHex } from "@xinglin/primitives";
import fc from "fast-check";
import {
  decodeEnrolmentLink,
  type EnrolmentLink,
  encodeEnrolmentLink,
  enrolmentIdentity,
  oneTimeKey,
} from "../src/enrolment-link.ts";

const pseudonym = (member = "hospital-a") => {
  const { seed, publicKey } = oneTimeKey();
  return { pseudonym: { patient: toHex(randomBytes(16)) as ActorId, member: member as MemberId, seed }, publicKey };
};
const link = (count: number): EnrolmentLink => ({
  chain: "xinglin-0123456789abcdef",
  pseudonyms: Array.from({ length: count }, () => pseudonym().pseudonym),
});
const fragment = (content: unknown): string => `#enrol=${toBase64url(cbor.encode(content))}`;
const wrong = { code: "enrolment_link_wrong" };

test("a link gives back what was put in, from the fragment, which a browser never sends", () => {
  for (const count of [1, 2, 16]) {
    const content = link(count);
    const url = new URL(encodeEnrolmentLink("https://localhost:8750/", content));
    assert.equal(`${url.origin}${url.pathname}${url.search}`, "https://localhost:8750/");
    assert.deepEqual(cbor.encode(decodeEnrolmentLink(url.hash)), cbor.encode(content));
    assert.deepEqual(cbor.encode(decodeEnrolmentLink(url.hash.slice(1))), cbor.encode(content));
  }
});

test("a link may carry a block that its maker vouches for", () => {
  const checkpoint = { height: 12, hash: randomBytes(32) };
  const { hash } = new URL(encodeEnrolmentLink("https://localhost:8750/", { ...link(1), checkpoint }));
  assert.deepEqual(decodeEnrolmentLink(hash).checkpoint, checkpoint);
  for (const bad of [{ ...checkpoint, height: 0 }, { ...checkpoint, hash: randomBytes(31) }, { height: 12 }])
    assert.throws(() => decodeEnrolmentLink(fragment({ ...link(1), checkpoint: bad })), wrong);
});

test("each one-time key is its own and signs for its pseudonym", () => {
  const { pseudonym: one, publicKey } = pseudonym();
  const identity = enrolmentIdentity(one);
  assert.equal(identity.actor, one.patient);
  assert.deepEqual(identity.signer.publicKey, publicKey.key);
  assert.notDeepEqual(oneTimeKey().seed, oneTimeKey().seed);
});

test("garbage is refused, and so is all that is not exactly a link", () => {
  const { chain, pseudonyms } = link(1);
  const [one] = pseudonyms;
  const content = { chain, pseudonyms };
  assert.ok(decodeEnrolmentLink(fragment(content)));
  const whole = fragment(content);
  const not: string[] = [
    ...["", "#", "#enrol=", "enrol", "#enrol=%%%", "#other=AAAA", `${whole}=`, `${whole}&a=b`, ` ${whole}`, whole.slice(0, -3)],
    fragment({ chain }),
    fragment({ chain, pseudonyms: [] }),
    fragment({ chain, pseudonyms: link(17).pseudonyms }),
    fragment({ chain, pseudonyms: [{ ...one, seed: randomBytes(31) }] }),
    fragment({ chain, pseudonyms: [{ ...one, patient: "NOT AN ID" }] }),
    fragment({ chain, pseudonyms: [{ ...one, more: 1 }] }),
    fragment({ chain, pseudonyms, more: 1 }),
    fragment({ chain: 1, pseudonyms }),
    fragment([]),
  ];
  for (const text of not) assert.throws(() => decodeEnrolmentLink(text), wrong, text);
});

test("a changed character is refused, or still is a link in shape (whether it counts, the chain decides)", () => {
  const content = link(1);
  const text = encodeEnrolmentLink("", content);
  let refused = 0;
  let otherwise = 0;
  fc.assert(
    fc.property(fc.integer({ min: "#enrol=".length, max: text.length - 1 }), fc.constantFrom(..."Az09_-"), (at, letter) => {
      if (text[at] === letter) return;
      try {
        const { chain, pseudonyms } = decodeEnrolmentLink(text.slice(0, at) + letter + text.slice(at + 1));
        assert.equal(pseudonyms.length, 1);
        assert.match(pseudonyms[0]?.patient ?? "", /^[a-z0-9-]+$/);
        assert.ok(chain.length > 0);
        otherwise++;
      } catch (error) {
        assert.equal((error as { code?: string }).code, "enrolment_link_wrong");
        refused++;
      }
    }),
    { numRuns: 1000 },
  );
  assert.ok(refused > 50 && otherwise > 50, `${refused} refused, ${otherwise} otherwise`);
});
