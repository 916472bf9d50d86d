/**
 * After the story: the doctor at B asks for the study once more whenever the reader presses Enter, so that the reader's page shows a read (or, once
 * consent was taken back, a refusal) as it happens. Source: requirement C10.
 */
import { createInterface } from "node:readline";
import { redeemPermit, requestRead } from "@xinglin/gateway";
import { Fault, type RecordId } from "@xinglin/primitives";
import { requestFor } from "./read.ts";
import { refusalSentence } from "./reasons.ts";
import { readMemory, type Stage } from "./stage.ts";

/** Listens to the terminal until `signal` aborts; does nothing where there is none. */
export function offerToAskAgain(stage: Stage, signal: AbortSignal): void {
  const { study } = readMemory(stage.data);
  if (!process.stdin.isTTY || study === undefined) return;
  stage.say.plain("again.offer");
  const lines = createInterface({ input: process.stdin, signal });
  lines.on("line", () => {
    askAgain(stage, study).catch((error: unknown) => {
      if (!(error instanceof Fault)) throw error;
      stage.say("again.failed", { code: error.code });
    });
  });
  // Ctrl-C is read here now; the program listens for the signal.
  lines.on("SIGINT", () => process.kill(process.pid, "SIGINT"));
}

async function askAgain(stage: Stage, record: RecordId): Promise<void> {
  const { gateway, say, data } = stage;
  const { patientAtA } = readMemory(data);
  if (patientAtA === undefined) return;
  const by = stage.key("hospital-b/doctor");
  const study = { record, version: 1, class: { level: "sensitive", category: "imaging" } } as const;
  const decision = await requestRead(gateway, by, requestFor(by, patientAtA, study));
  if (decision.permitted) {
    const { released } = await redeemPermit(gateway, by, decision.held);
    say("again.permit", { number: decision.held.number, released: released.length });
    return;
  }
  const [result] = decision.receipt.results;
  const code = result?.code ?? "";
  say("story.refused", {
    who: stage.memberName(by.member),
    code,
    sentence: refusalSentence(say.language, code, result?.facts ?? {}),
  });
}
