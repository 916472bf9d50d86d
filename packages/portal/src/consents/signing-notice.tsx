/** How far a signed change has come. */
import { useText } from "../shell/context.tsx";
import { ErrorNotice, Notice } from "../shell/notice.tsx";
import { shanghaiTime } from "../text/time.ts";
import type { Signing } from "./use-signing.ts";

export function SigningNotice({ signing: { stage, error, running } }: { signing: Signing }) {
  const text = useText();
  if (error !== undefined) return <ErrorNotice error={error} />;
  if (stage === undefined) return running ? <p role="status">{text("signing.signing")}</p> : null;
  if (stage.stage === "signing") return <p role="status">{text("signing.signing")}</p>;
  const facts = { height: stage.height, time: shanghaiTime(stage.time) };
  return (
    <Notice tone={stage.stage === "provable" ? "good" : "mind"}>
      <p>{text("signing.committed", facts)}</p>
      <p>{text(stage.stage === "provable" ? "signing.provable" : "signing.proving")}</p>
    </Notice>
  );
}
