/** The steps of a decision, each with whether it held. */
import { useText } from "../shell/context.tsx";
import type { ReasonLine } from "./access-sentence.ts";

export function ReasonTree({ line }: { line: ReasonLine }) {
  return (
    <ul className="reasons">
      <ReasonStep line={line} />
    </ul>
  );
}

function ReasonStep({ line }: { line: ReasonLine }) {
  const text = useText();
  return (
    <li className={line.holds ? "holds" : "fails"}>
      <span className="mark">{text(line.holds ? "reason.holds" : "reason.fails")}</span> {line.sentence}
      {line.below.length > 0 && (
        <ul className="reasons">
          {line.below.map((step, i) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: the steps of a decision never change places
            <ReasonStep key={i} line={step} />
          ))}
        </ul>
      )}
    </li>
  );
}
