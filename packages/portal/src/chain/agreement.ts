/** How many other members' nodes agreed, as a sentence. Source: requirement A9 (unreachable nodes are said aloud). */
import type { LightReport, WitnessAnswer } from "@xinglin/verifier";
import type { Text } from "../text/language.ts";

/** `3 of 4 other nodes show the same`, or that nobody else was asked. */
export function agreementSentence(text: Text, { witnesses, witnessCount }: LightReport): string {
  if (witnessCount === 0) return text("chain.no_witness");
  const agreed = witnesses.filter(({ outcome }) => outcome === "agrees").length;
  return text("chain.agreed", { agreed, asked: witnesses.length });
}

/** Nodes that were asked and did not confirm. */
export const silentNodes = ({
  witnesses,
}: LightReport): readonly (WitnessAnswer & {
  readonly outcome: Exclude<WitnessAnswer["outcome"], "agrees">;
})[] => witnesses.filter((one): one is ReturnType<typeof silentNodes>[number] => one.outcome !== "agrees");
