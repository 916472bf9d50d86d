/** Rows as the server would show them, for tests. */
import type { ActorId, MemberId } from "@xinglin/primitives";
import type { AccessRow } from "../src/feed/rows.ts";

export const PATIENT = "0".repeat(32) as ActorId;

/** A permitted read with `change` made to it. */
export const accessRow = (change: Partial<AccessRow>): AccessRow => ({
  sequence: 1,
  height: 2,
  time: 3,
  transaction: "00".repeat(32),
  patient: PATIENT,
  outcome: "accepted",
  purpose: "TREAT",
  class: { level: "sensitive", category: "imaging" },
  target: { kind: "record", record: "1".repeat(32), version: 1 },
  by: {
    actor: "2".repeat(32) as ActorId,
    key: "3".repeat(16),
    member: "hospital-b" as MemberId,
    role: "doctor",
    department: "NEURO",
  },
  releases: [],
  ...change,
});
