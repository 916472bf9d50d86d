import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { readValidatorKey } from "@xinglin/gateway";
import type { MemberId } from "@xinglin/primitives";
import {
  cardForChain,
  cardOf,
  createMemberKeys,
  type MemberCard,
  provenValidator,
  readCard,
  writeCard,
} from "../src/member-card.ts";
import { memberValidatorKey } from "../src/member-folder.ts";

const who = { member: "hospital-a" as MemberId, kind: "hospital", name: { zh: "甲医院", en: "Hospital A" } } as const;

test("a card shows the validator's key of either type, and comes back from its file", async (context) => {
  for (const validatorKeyType of [undefined, "ml-dsa-65"] as const) {
    const data = mkdtempSync(join(tmpdir(), "xinglin-card-"));
    context.after(() => rmSync(data, { recursive: true }));
    createMemberKeys(data, who.member, { node: true, ...(validatorKeyType === undefined ? {} : { validatorKeyType }) });
    const card = await cardOf(data, who, { node: "127.0.0.1:26656" });
    assert.equal(card.validator?.length, validatorKeyType === undefined ? 32 : 1952);
    assert.deepEqual(card.validator, readValidatorKey(memberValidatorKey(data, who.member)).publicKey);
    const path = join(data, "card.json");
    writeCard(path, card);
    assert.deepEqual(readCard(path), card);
    // What it proves, it proves for one member and one chain.
    assert.deepEqual(provenValidator(card, "").publicKey, card.validator);
    const onChain = cardForChain(data, card, "xinglin-1");
    assert.deepEqual(provenValidator(onChain, "xinglin-1").publicKey, card.validator);
    const code = (told: MemberCard, chain: string): unknown => {
      try {
        return provenValidator(told, chain).member;
      } catch (error) {
        return (error as { code: string }).code;
      }
    };
    const other = "hospital-b" as MemberId;
    const copied = { ...onChain, possession: { chain: "xinglin-2", signature: onChain.possession!.signature } };
    assert.deepEqual(
      [code(onChain, "xinglin-2"), code(copied, "xinglin-2"), code({ ...onChain, member: other }, "xinglin-1")],
      ["possession_missing", "possession_wrong", "possession_wrong"],
    );
    const { possession: _, ...without } = onChain;
    assert.equal(code(without, "xinglin-1"), "possession_missing");
    // Keys that are there stay.
    createMemberKeys(data, who.member, { node: true });
    assert.deepEqual((await cardOf(data, who, {})).validator, card.validator);
  }
});
