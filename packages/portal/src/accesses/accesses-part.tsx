/** Who read what, when, why and under which consent, as it happens. Source: requirement C10; design.md, "What a user gets". */
import { useState } from "react";
import { ChainStatus } from "../chain/chain-status.tsx";
import { mergeNewestFirst } from "../feed/merge.ts";
import { useHome, useSnapshot, useText } from "../shell/context.tsx";
import { ErrorNotice } from "../shell/notice.tsx";
import { useTask } from "../shell/use-task.ts";
import { verifyEverything } from "../verify/ask.ts";
import { VerdictNotice } from "../verify/verdict-notice.tsx";
import type { Verdict } from "../verify/verify-accesses.ts";
import { AccessItem } from "./access-item.tsx";
import { LineMark } from "./line-mark.tsx";

export function AccessesPart() {
  const text = useText();
  const home = useHome();
  const { feed, attention } = home;
  const { accesses, fresh, loaded } = useSnapshot();
  const older = useTask();
  const verifying = useTask();
  const [progress, setProgress] = useState<{ done: number; all: number } | undefined>(undefined);
  const [judged, setJudged] = useState<{ verdict: Verdict; newest: number | undefined } | undefined>(undefined);
  const { rows, more } = mergeNewestFirst(accesses.values());
  const newest = rows[0]?.sequence;
  // "Complete" is said of the list as it was; of what came in since it would not be true.
  const verdict = judged?.verdict.ok === true && judged.newest !== newest ? undefined : judged?.verdict;
  const failedAt = verdict?.ok === false ? verdict.sequence : undefined;

  const verify = (): void =>
    verifying.run(async () => {
      setJudged(undefined);
      const verdict = await attention.during(() => verifyEverything(home, (done, all) => setProgress({ done, all })));
      setJudged({ verdict, newest: mergeNewestFirst(feed.snapshot().accesses.values()).rows[0]?.sequence });
    });

  return (
    <section aria-labelledby="accesses-title">
      <div className="title-row">
        <h1 id="accesses-title">{text("accesses.title")}</h1>
        <LineMark />
      </div>
      <p>{text("accesses.what")}</p>
      <div className="actions">
        <button type="button" disabled={verifying.running || !loaded} onClick={verify}>
          {text("verify.all_button")}
        </button>
        {verifying.running && (
          <span role="status">{text("verify.running", { done: progress?.done ?? 0, all: progress?.all ?? 0 })}</span>
        )}
      </div>
      <ChainStatus />
      <ErrorNotice error={verifying.error} />
      {verdict !== undefined && <VerdictNotice verdict={verdict} />}
      {rows.length === 0 && loaded && <p className="empty">{text("accesses.none")}</p>}
      <ol className="list" aria-label={text("accesses.title")}>
        {rows.map((row) => (
          <AccessItem key={row.sequence} row={row} isFresh={fresh.has(row.sequence)} isFailed={row.sequence === failedAt} />
        ))}
      </ol>
      {more && (
        <button type="button" disabled={older.running} onClick={() => older.run(() => attention.during(() => feed.loadOlder()))}>
          {text("accesses.older")}
        </button>
      )}
    </section>
  );
}
