/** Notices: what went wrong in red, what to mind in amber, what is well in green. Never by colour alone. */
import type { ReactNode } from "react";
import { faultSentence } from "../text/fault-sentence.ts";
import { useText } from "./context.tsx";

type Tone = "bad" | "mind" | "good";

export function Notice({ tone, title, children }: { tone: Tone; title?: string; children: ReactNode }) {
  return (
    <div className={`notice ${tone}`} role={tone === "bad" ? "alert" : "status"}>
      {title !== undefined && <strong>{title}</strong>}
      <div>{children}</div>
    </div>
  );
}

/** What a task failed with, if it did. */
export function ErrorNotice({ error }: { error: unknown }) {
  const text = useText();
  if (error === undefined) return null;
  return (
    <Notice tone="bad" title={text("notice.failed")}>
      {faultSentence(text, error)}
    </Notice>
  );
}
