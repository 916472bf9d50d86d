/** What was proved and what is assumed, in words; or, in red, how what was shown differs from the chain. */
import { useHome, useText } from "../shell/context.tsx";
import { Notice } from "../shell/notice.tsx";
import { memberName } from "../text/names.ts";
import { failureSentence, pointSentence } from "./verdict-sentence.ts";
import type { Verdict } from "./verify-accesses.ts";

export function VerdictNotice({ verdict }: { verdict: Verdict }) {
  const text = useText();
  const { members } = useHome();
  if (!verdict.ok) {
    const { member } = verdict.facts;
    const facts = member === undefined ? verdict.facts : { ...verdict.facts, member: memberName(text, members, String(member)) };
    return (
      <Notice tone="bad" title={text("verify.failed_title")}>
        <p>{failureSentence(text, verdict.code, facts)}</p>
        <p>{text("verify.failed_what")}</p>
      </Notice>
    );
  }
  return (
    <Notice tone="good" title={text("verify.ok_title")}>
      <p className="subhead">{text("verify.proved")}</p>
      <ul>
        {verdict.proved.map((point) => (
          <li key={point.code}>{pointSentence(text, "proved", point)}</li>
        ))}
      </ul>
      <p className="subhead">{text("verify.assumed")}</p>
      <ul>
        {verdict.assumed.map((point) => (
          <li key={point.code}>{pointSentence(text, "assumed", point)}</li>
        ))}
      </ul>
    </Notice>
  );
}
