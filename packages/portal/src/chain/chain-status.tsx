/** What this device checked of the chain, in words. Source: requirement A9. */
import { useChain, useText } from "../shell/context.tsx";
import { faultSentence } from "../text/fault-sentence.ts";
import { shanghaiDate, shanghaiTime } from "../text/time.ts";
import { agreementSentence, silentNodes } from "./agreement.ts";

export function ChainStatus() {
  const text = useText();
  const { phase, report, fault } = useChain();
  return (
    <details className="chain">
      <summary>
        {report === undefined || phase === "lied" || phase === "wrong"
          ? text(`chain.${phase}`)
          : text("chain.summary", { height: report.height, agreement: agreementSentence(text, report) })}
      </summary>
      {phase !== "checked" && fault !== undefined && phase !== "lied" && <p>{faultSentence(text, fault)}</p>}
      {report !== undefined && (
        <ul>
          <li>{text("chain.since", { date: shanghaiDate(report.since) })}</li>
          <li>{text("chain.newest", { height: report.height, time: shanghaiTime(report.time) })}</li>
          <li>{text("chain.signed", { count: report.validators, signed: report.signed })}</li>
          <li>{agreementSentence(text, report)}</li>
          {silentNodes(report).map(({ name, outcome }) => (
            <li key={name}>{text(`chain.witness_${outcome}`, { name })}</li>
          ))}
          {report.isBehind && <li>{text("chain.behind")}</li>}
          {report.isSoleKey && <li>{text("assumed.single_key_could_rewrite")}</li>}
          <li>{text("chain.looked", { time: shanghaiTime(report.checkedAt) })}</li>
        </ul>
      )}
      <p className="hint">{text("chain.what")}</p>
    </details>
  );
}
