/** What the owner should know before anything else: a retired key, a locked page, a ledger that stands still, a clock that is off. */
import { useEffect, useState } from "react";
import { ChainAlarm } from "../chain/chain-alarm.tsx";
import { faultSentence } from "../text/fault-sentence.ts";
import { joined, memberName } from "../text/names.ts";
import { shanghaiTime } from "../text/time.ts";
import { clockSkewSeconds } from "./clock.ts";
import { useHome, useSnapshot, useText } from "./context.tsx";
import { ErrorNotice, Notice } from "./notice.tsx";
import { useTask } from "./use-task.ts";

/** Beyond this a signed request is soon refused for its time. */
const MAX_SKEW_SECONDS = 25;

export function Notices() {
  const text = useText();
  const { feed, members, attention } = useHome();
  const { line, retired, fault } = useSnapshot();
  const unlock = useTask();
  const [skew, setSkew] = useState(0);

  // biome-ignore lint/correctness/useExhaustiveDependencies: measured anew whenever the line changes
  useEffect(() => {
    clockSkewSeconds().then(setSkew, () => {});
  }, [line]);

  const retiredAt = feed.pseudonyms.filter(({ holding }) => retired.has(holding.patient));
  return (
    <>
      <ChainAlarm />
      {retiredAt.length > 0 && (
        <Notice tone="bad" title={text("retired.title")}>
          {text("retired.what", {
            who: joined(
              text,
              retiredAt.map(({ holding }) => memberName(text, members, holding.member)),
            ),
          })}
        </Notice>
      )}
      {line === "locked" && (
        <Notice tone="mind" title={text("locked.title")}>
          <p>{text("locked.what")}</p>
          <button
            type="button"
            className="primary"
            disabled={unlock.running}
            onClick={() => unlock.run(() => attention.during(() => feed.refreshAll()))}
          >
            {text("locked.button")}
          </button>
          <ErrorNotice error={unlock.error} />
        </Notice>
      )}
      {fault !== undefined && (
        <Notice tone="bad" title={text("notice.not_loaded")}>
          {faultSentence(text, fault)}
        </Notice>
      )}
      {Math.abs(skew) > MAX_SKEW_SECONDS && (
        <Notice tone="mind" title={text("clock.title")}>
          {text("clock.what", { seconds: Math.abs(skew), server: shanghaiTime(Math.floor(Date.now() / 1000) + skew) })}
        </Notice>
      )}
    </>
  );
}
