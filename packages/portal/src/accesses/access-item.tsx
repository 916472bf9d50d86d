/** One read or refusal, with its reasons on a tap. */
import { useState } from "react";
import type { AccessRow } from "../feed/rows.ts";
import { useHome, useText } from "../shell/context.tsx";
import { ErrorNotice } from "../shell/notice.tsx";
import { hrefOf } from "../shell/route.ts";
import { useTask } from "../shell/use-task.ts";
import { memberName, word } from "../text/names.ts";
import { shanghaiTime } from "../text/time.ts";
import { verifyEntry } from "../verify/ask.ts";
import { VerdictNotice } from "../verify/verdict-notice.tsx";
import type { Verdict } from "../verify/verify-accesses.ts";
import { accessSentence, decidingDirective, reasonTree, refusalSentence } from "./access-sentence.ts";
import { ReasonTree } from "./reason-tree.tsx";

export function AccessItem({ row, isFresh, isFailed }: { row: AccessRow; isFresh: boolean; isFailed: boolean }) {
  const text = useText();
  const home = useHome();
  const task = useTask();
  const [verdict, setVerdict] = useState<Verdict | undefined>(undefined);
  const isRead = row.outcome === "accepted";
  const directive = decidingDirective(row);
  const holding = home.wallet.holdings.find(({ patient }) => patient === row.patient);
  const verify = (): void =>
    task.run(async () => {
      setVerdict(undefined);
      setVerdict(await home.attention.during(() => verifyEntry(home, row)));
    });

  const classes = ["card", "access", isRead ? "read" : "refused", isFresh ? "fresh" : "", isFailed ? "failed" : ""];
  return (
    <li className={classes.filter((name) => name !== "").join(" ")} data-sequence={row.sequence}>
      <p className="meta">
        <span className={`outcome ${isRead ? "good" : "bad"}`}>{text(isRead ? "outcome.read" : "outcome.refused")}</span>
        {row.purpose === "ETREAT" && <span className="outcome mind">{text("outcome.emergency")}</span>}
        <time dateTime={new Date(row.time * 1_000).toISOString()}>{shanghaiTime(row.time)}</time>
        {isFresh && <span className="outcome mind">{text("outcome.new")}</span>}
      </p>
      <p className="sentence">{accessSentence(text, home.members, row)}</p>
      {!isRead && <p className="why">{refusalSentence(text, row.code ?? "", row.facts)}</p>}
      <dl>
        <dt>{text("access.role")}</dt>
        <dd>
          {text("access.role_at", { role: word(text, "role", row.by.role ?? "unknown"), department: row.by.department ?? "—" })}
        </dd>
        <dt>{text("access.purpose")}</dt>
        <dd>{word(text, "purpose", row.purpose)}</dd>
        <dt>{text("access.class")}</dt>
        <dd>
          {text("access.class_of", {
            category: word(text, "category", row.class.category),
            level: word(text, "level", row.class.level),
          })}
        </dd>
        <dt>{text("access.consent")}</dt>
        <dd>
          {directive === undefined ? (
            text("access.no_consent")
          ) : (
            <a href={hrefOf("consents", `${row.patient}/${directive}`)}>{text("access.consent_number", { number: directive })}</a>
          )}
        </dd>
        {holding !== undefined && (
          <>
            <dt>{text("access.kept_at")}</dt>
            <dd>{memberName(text, home.members, holding.member)}</dd>
          </>
        )}
        {row.releases.length > 0 && (
          <>
            <dt>{text("access.releases")}</dt>
            <dd>{text("access.releases_count", { count: row.releases.length })}</dd>
          </>
        )}
      </dl>
      {row.reason !== undefined && (
        <details>
          <summary>{text("access.reasons")}</summary>
          <ReasonTree line={reasonTree(text, row.reason)} />
        </details>
      )}
      <div className="actions">
        <button type="button" className="quiet" disabled={task.running} onClick={verify}>
          {text(task.running ? "verify.busy" : "verify.button")}
        </button>
      </div>
      <ErrorNotice error={task.error} />
      {verdict !== undefined && <VerdictNotice verdict={verdict} />}
    </li>
  );
}
