/** `xinglin evidence export|verify`: one file that a court can check offline. Source: requirement F12. */
import { readFileSync, statSync } from "node:fs";
import { collectEvidence } from "@xinglin/client";
import { writeFileDurably } from "@xinglin/custody";
import { claimFacts } from "@xinglin/gateway";
import { type Bytes, Fault, fromHex } from "@xinglin/primitives";
import { type EvidenceTrust, genesisTrust, MAX_EVIDENCE_BYTES, verifyEvidence } from "@xinglin/verifier";
import type { Command, Context } from "../command.ts";

const list = (text: string | undefined): string[] => (text === undefined || text === "" ? [] : text.split(","));

export const exportEvidence: Command = {
  words: "evidence export",
  options: { keys: { type: "string" }, entries: { type: "string" }, out: { type: "string" } },
  async run(context) {
    const keys = list(context.text("keys"));
    const sequences = list(context.text("entries")).map((word) => {
      if (!/^\d{1,15}$/.test(word)) throw new Fault("option_wrong", { option: "--entries", expected: "0,1,2" });
      return Number(word);
    });
    if (keys.length + sequences.length === 0) throw new Fault("option_missing", { option: "--keys | --entries" });
    const out = context.need("out");
    const bytes = await collectEvidence(context.gateway().client, context.key(), { keys, sequences });
    writeFileDurably(out, bytes);
    context.say.plain("evidence.exported", { path: out, statements: keys.length + sequences.length, bytes: bytes.length });
  },
};

/** Offline: needs the file and either the genesis or a checkpoint that the caller got elsewhere. */
export const verify: Command = {
  words: "evidence verify",
  options: { genesis: { type: "string" }, checkpoint: { type: "string" } },
  positionals: ["FILE"],
  async run(context) {
    const [path] = context.positionals;
    if (path === undefined) throw new Fault("option_missing", { option: "FILE" });
    const verdict = await verifyEvidence(readBounded(path), trustOf(context));
    if (context.json) context.print(verdict);
    if (!verdict.ok) throw new Fault("evidence_wrong", { code: verdict.code, ...verdict.facts });
    if (context.json) return;
    const { say } = context;
    say.plain("evidence.holds", { chain: verdict.chainId });
    say.plain("evidence.proves");
    for (const claim of verdict.proves) say.plain(`evidence.${claim.code}`, claimFacts(claim));
    say.plain("evidence.assumes");
    for (const { code, facts } of verdict.assumes) say.plain(`evidence.assume_${code}`, facts);
  },
};

/** Reads a file that may be hostile: bounded, and missing files named. */
export function readBounded(path: string, maxBytes = MAX_EVIDENCE_BYTES): Bytes {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined || !found.isFile()) throw new Fault("file_missing", { path });
  if (found.size > maxBytes) throw new Fault("malformed", { reason: "too_long", maxBytes });
  return readFileSync(path);
}

/** What `--genesis` or `--checkpoint` names; the data folder's genesis without either. */
export function trustOf(context: Context): EvidenceTrust {
  const checkpoint = context.text("checkpoint");
  if (checkpoint === undefined)
    return { genesis: genesisTrust(readBounded(context.text("genesis") ?? `${context.data}/genesis.cbor`)) };
  const match = /^(\d{1,15}):([0-9a-f]{64})$/.exec(checkpoint.toLowerCase());
  if (match === null) throw new Fault("option_wrong", { option: "--checkpoint", expected: "HEIGHT:SHA256" });
  return { checkpoint: { height: Number(match[1]), hash: fromHex(match[2] as string) } };
}
