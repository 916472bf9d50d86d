/** The alarm when two histories were shown, and what to do when trust has ended. Shown above everything else. Source: requirement A9. */
import { useState } from "react";
import { useChain, useHome, useText } from "../shell/context.tsx";
import { ErrorNotice, Notice } from "../shell/notice.tsx";
import { useTask } from "../shell/use-task.ts";
import { faultSentence } from "../text/fault-sentence.ts";

export function ChainAlarm() {
  const text = useText();
  const { phase, fault, fork } = useChain();
  if (phase === "lied") {
    const facts = fault?.facts ?? {};
    return (
      <div className="alarm">
        <Notice tone="bad" title={text("alarm.title")}>
          <p>{text("alarm.what", { height: facts["height"] ?? 0, commonHeight: facts["commonHeight"] ?? 0 })}</p>
          <ol>
            <li>{text("alarm.step_distrust")}</li>
            <li>{text("alarm.step_save")}</li>
            <li>{text("alarm.step_tell")}</li>
          </ol>
          {fork !== undefined && (
            <button type="button" className="primary" onClick={() => saveFork(fork)}>
              {text("alarm.save")}
            </button>
          )}
        </Notice>
      </div>
    );
  }
  if (phase === "expired") return <ExpiredNotice sentence={faultSentence(text, fault)} />;
  if (phase === "wrong")
    return (
      <Notice tone="bad" title={text("chain.wrong")}>
        <p>{faultSentence(text, fault)}</p>
      </Notice>
    );
  return null;
}

function ExpiredNotice({ sentence }: { sentence: string }) {
  const text = useText();
  const { chain } = useHome();
  const task = useTask();
  const [typed, setTyped] = useState("");
  return (
    <Notice tone="mind" title={text("chain.expired")}>
      <p>{sentence}</p>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          task.run(() => chain.trust(typed));
        }}
      >
        <label>
          {text("chain.checkpoint")}
          <textarea rows={3} value={typed} onChange={(event) => setTyped(event.target.value)} spellCheck={false} />
        </label>
        <button type="submit" disabled={task.running || typed === ""}>
          {text("chain.trust_button")}
        </button>
      </form>
      <ErrorNotice error={task.error} />
    </Notice>
  );
}

function saveFork(fork: Uint8Array): void {
  const anchor = document.createElement("a");
  anchor.href = URL.createObjectURL(new Blob([new Uint8Array(fork)], { type: "application/octet-stream" }));
  anchor.download = "xinglin-fork.cbor";
  anchor.click();
  URL.revokeObjectURL(anchor.href);
}
