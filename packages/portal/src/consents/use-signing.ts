/** A change of consent from the tap to its proof. */
import { useState } from "react";
import type { Member } from "../feed/feed.ts";
import { useHome, useSnapshot } from "../shell/context.tsx";
import { useTask } from "../shell/use-task.ts";
import type { ConsentChange, SigningStage } from "./sign-consent.ts";

export interface Signing {
  readonly running: boolean;
  readonly error: unknown;
  readonly stage: SigningStage | undefined;
  sign(change: ConsentChange): void;
}

/** Signs changes as one pseudonym; the list is fetched anew when the chain has decided. */
export function useSigning({ holding, identity }: Member): Signing {
  const { client, feed, chain, attention } = useHome();
  const { retired } = useSnapshot();
  const task = useTask();
  const [stage, setStage] = useState<SigningStage | undefined>(undefined);
  return {
    running: task.running,
    error: task.error,
    stage,
    sign: (change) =>
      task.run(() =>
        attention.during(async () => {
          setStage(undefined);
          chain.requireHonest();
          const current = feed.pseudonyms.filter((one) => !retired.has(one.holding.patient));
          const { signConsent } = await import("./sign-consent.ts");
          try {
            await signConsent(client, holding.chain, identity, current, change, setStage);
          } finally {
            await feed.refreshConsents(identity);
          }
        }),
      ),
  };
}
