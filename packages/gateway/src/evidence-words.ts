/** The claims of an evidence file as facts for sentences. Source: requirement F12. */
import { decodeAuditEntry } from "@xinglin/contracts";
import { cbor, toHex } from "@xinglin/primitives";
import type { Claim } from "@xinglin/verifier";
import { shanghaiTime } from "./terminal.ts";

/** Longer byte strings are told by their length: keys and roots say nothing to a reader. */
const MAX_SHOWN_BYTES = 32;

/** Facts of a claim's sentence, whose key is its code. */
export function claimFacts(claim: Claim): Record<string, string | number> {
  const common = { height: claim.height, time: shanghaiTime(claim.time) };
  if (claim.code === "state_absent") return { ...common, key: claim.key };
  if (claim.code === "state_held") return { ...common, key: claim.key, value: readable(cbor.decodeTrusted(claim.value)) };
  const entry = decodeAuditEntry(claim.entry);
  return {
    ...common,
    sequence: claim.sequence,
    operation: entry.operation,
    outcome: entry.code === undefined ? entry.outcome : `${entry.outcome} (${entry.code})`,
    actor: entry.by.actor,
    key: entry.by.key,
    member: entry.by.member,
    device: entry.by.device ?? "–",
    decided: shanghaiTime(entry.time),
    block: entry.height,
  };
}

const readable = (value: unknown): string =>
  JSON.stringify(value, (_, part: unknown) => {
    if (!(part instanceof Uint8Array)) return part;
    return part.length > MAX_SHOWN_BYTES ? `${part.length} bytes` : toHex(part);
  });
