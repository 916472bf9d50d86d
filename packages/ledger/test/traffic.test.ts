/** Random traffic against a model that fits on a page: what is turned away, accepted, refused, remembered and provable. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { chainIdOf, decodeAuditEntry, keys, type Operation } from "@xinglin/contracts";
import { ics23, merkle } from "@xinglin/crypto/pure";
import { type Bytes, type MemberId, toHex, utf8 } from "@xinglin/primitives";
import fc from "fast-check";
import { decodeLogHead } from "../src/log-head.ts";
import { anchor, genesisBytes, signed } from "./support/chain.ts";
import { folder } from "./support/folder.ts";
import { GENESIS_TIME, HandDrivenNode } from "./support/node.ts";

const QUOTA = 4;
const genesis = genesisBytes({ memberQuota: QUOTA, maxValiditySeconds: 30, maxValidityBlocks: 1_000 });
const chain = chainIdOf(genesis);
const MEMBERS = ["hospital-a", "hospital-b"] as const;
const SECONDS_A_BLOCK = 3;

type Member = (typeof MEMBERS)[number];
type Step = { readonly anchors: readonly string[] } | { readonly suspend: Member; readonly status: "active" | "suspended" };
interface Sent {
  readonly bytes: Bytes;
  readonly sponsor: Member | "commission";
  readonly step: Step;
  readonly notAfter: number;
  readonly id: string;
}

/** The ledger as one would explain it: sets, and nothing about trees, databases or signatures. */
class Model {
  readonly #anchored = new Set<string>();
  readonly #suspended = new Set<string>();
  readonly #included = new Set<string>();

  /** How each transaction of a block comes out: a code if it is turned away, else one outcome an operation. */
  block(time: number, transactions: readonly Sent[]): (string | (string | undefined)[])[] {
    const used = new Map<string, number>();
    return transactions.map(({ sponsor, step, notAfter, id }) => {
      if (time > notAfter) return "expired";
      if (this.#included.has(id)) return "already_known";
      if (notAfter > time + 30) return "too_far_ahead";
      if (this.#suspended.has(sponsor)) return "sponsor_suspended";
      const operations = "anchors" in step ? step.anchors.length : 1;
      if ((used.get(sponsor) ?? 0) + operations > QUOTA) return "over_quota";
      used.set(sponsor, (used.get(sponsor) ?? 0) + operations);
      this.#included.add(id);
      if ("suspend" in step) {
        if (this.#suspended.has(step.suspend) === (step.status === "suspended")) return ["unchanged"];
        if (step.status === "suspended") this.#suspended.add(step.suspend);
        else this.#suspended.delete(step.suspend);
        return [undefined];
      }
      return step.anchors.map((name) => {
        if (this.#anchored.has(name)) return "id_taken";
        this.#anchored.add(name);
        return undefined;
      });
    });
  }

  has(name: string): boolean {
    return this.#anchored.has(name);
  }
}

const operationsOf = (step: Step): Operation[] =>
  "anchors" in step
    ? step.anchors.map((name) => anchor(name))
    : [{ op: "setMemberStatus", id: step.suspend as string as MemberId, status: step.status }];

const anyStep: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ anchors: fc.array(fc.constantFrom(..."abcdefghijklmnop"), { minLength: 1, maxLength: 3 }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      suspend: fc.constantFrom(...MEMBERS),
      status: fc.constantFrom("active" as const, "active" as const, "suspended" as const),
    }),
  },
);
const anyTransaction = fc.record({
  step: anyStep,
  member: fc.constantFrom(...MEMBERS),
  validity: fc.constantFrom(0, 5, 30, 31),
  again: fc.integer({ min: 0, max: 30 }),
});
const anyBlock = fc.record({
  transactions: fc.array(anyTransaction, { minLength: 2, maxLength: 9 }),
  restart: fc.integer({ min: 0, max: 9 }),
});

test("random traffic comes out as a simple model says, and every outcome is under the app hash", async (context) => {
  const directory = await folder(context);
  let node = await HandDrivenNode.open(directory, genesis);
  const model = new Model();
  const sent: Sent[] = [];
  const entries: Bytes[] = [];
  const seen = new Map<string, number>();
  await node.block([], 0);
  for (const [i, { transactions, restart }] of fc.sample(anyBlock, { numRuns: 150 }).entries()) {
    const time = GENESIS_TIME + (i + 1) * SECONDS_A_BLOCK;
    const block = transactions.map(({ step, member, validity, again }): Sent => {
      const old = sent.at(-again);
      if (again > 0 && again < 8 && old !== undefined) return old;
      const sponsor: Sent["sponsor"] = "suspend" in step ? "commission" : member;
      const notAfter = time + validity;
      const bytes = signed({ chain, key: sponsor, operations: operationsOf(step), notAfter: { time: notAfter, height: 900 } });
      const one = { bytes, sponsor, step, notAfter, id: toHex(bytes) };
      sent.push(one);
      return one;
    });
    if (restart === 0) {
      await node.close();
      node = await HandDrivenNode.open(directory, genesis);
    }
    const expected = model.block(time, block);
    const finalized = await node.block(
      block.map(({ bytes }) => bytes),
      (i + 1) * SECONDS_A_BLOCK,
    );
    const decoded = finalized.entries.map(({ bytes }) => decodeAuditEntry(bytes));
    let next = 0;
    const actual = finalized.results.map((result, n) => {
      // What is over is forgotten sooner or later: both answers are right then.
      if ("code" in result) return time > block[n]!.notAfter ? "expired" : result.code;
      next += result.operations;
      return decoded.slice(next - result.operations, next).map(({ code }) => code);
    });
    assert.deepEqual(actual, expected, `block ${i}`);
    for (const code of expected.flat()) seen.set(code ?? "accepted", (seen.get(code ?? "accepted") ?? 0) + 1);
    entries.push(...finalized.entries.map(({ bytes }) => bytes));
    const name = "abcdefghijklmnop"[i % 16] as string;
    checkProofs(node, model.has(name), name, entries);
  }
  await node.close();
  const codes = [
    "accepted",
    "id_taken",
    "already_known",
    "expired",
    "too_far_ahead",
    "sponsor_suspended",
    "over_quota",
    "unchanged",
  ];
  for (const code of codes) assert.ok((seen.get(code) ?? 0) >= 3, `${code} came up ${seen.get(code) ?? 0} times`);
});

/** The anchor is proved present or absent, the log's root is that of all entries, and one entry proves itself. */
function checkProofs({ state, application }: HandDrivenNode, isThere: boolean, name: string, entries: readonly Bytes[]): void {
  const key = keys.batch(createHash("sha256").update(name).digest("hex"));
  const { value, proof } = state.prove(key);
  const decoded = ics23.decodeProof(proof);
  assert.equal(value !== undefined, isThere);
  assert.ok(
    value === undefined
      ? ics23.verifyNonMembership(state.root, decoded, utf8(key))
      : ics23.verifyMembership(state.root, decoded, utf8(key), value),
  );
  const { log } = application;
  const head = decodeLogHead(application.committed.get(keys.log));
  assert.deepEqual(head.root, merkle.root(entries));
  if (entries.length === 0) return;
  const sequence = Math.floor(entries.length / 3);
  assert.ok(merkle.verifyInclusion(entries[sequence]!, sequence, head.size, log.path(log.place(sequence), head.size), head.root));
}
