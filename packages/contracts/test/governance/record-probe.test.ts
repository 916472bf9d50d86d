import assert from "node:assert/strict";
import { test } from "node:test";
import { getProbes, keys, type OperationOf, type Outcome, type RecordProbeRefusal } from "../../src/index.ts";
import { by, consortium, MEMBERS } from "../support/committee.ts";
import { testRefusals } from "../support/refusals.ts";
import { administration, hospitalB, institute, people } from "../support/world.ts";

const probe: OperationOf<"recordProbe"> = {
  op: "recordProbe",
  epoch: 1,
  member: hospitalB,
  seen: { answeredPerMille: 990, kilobytesPerSecond: 12_000, freeMegabytes: 500_000 },
};
const seen = consortium(4);
seen.do(by(0), probe);

const refusals: { [Code in RecordProbeRefusal["code"]]: Outcome } = {
  caller_not_allowed: consortium(4).decide({ by: people.ict }, probe),
  not_in_committee: consortium(3).decide({ by: administration(institute) }, probe),
  own_node: consortium(4).decide(by(2), probe),
  unknown_validator: consortium(3).decide(by(0), { ...probe, member: institute }),
  probe_epoch_wrong: consortium(4).decide(by(0), { ...probe, epoch: 2 }),
  already_recorded: seen.decide(by(0), { ...probe, seen: { ...probe.seen, answeredPerMille: 0 } }),
};
testRefusals("recordProbe", refusals, {
  "a probe by an administration": consortium(4).decide(by(0), probe),
  "a probe by a device": seen.decide({ by: people.workStation }, probe),
});

test("probes of one epoch stand side by side; the first of the next takes their place", () => {
  const now = seen.copy();
  now.do(by(1), { ...probe, seen: { ...probe.seen, answeredPerMille: 10 } });
  const members = (): unknown => getProbes(now, hospitalB)?.by.map(({ member }) => member);
  assert.deepEqual(members(), [MEMBERS[0], MEMBERS[1]]);
  now.set(keys.election, { ...now.read<object>(keys.election), epoch: 2 });
  now.do(by(3), { ...probe, epoch: 2 });
  assert.deepEqual(members(), [MEMBERS[3]]);
});
