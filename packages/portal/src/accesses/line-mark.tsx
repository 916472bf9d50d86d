/** Whether the list is live. */
import { useSnapshot, useText } from "../shell/context.tsx";

export function LineMark() {
  const text = useText();
  const { line } = useSnapshot();
  return (
    <span className={`line ${line}`} role="status">
      <span className="dot" aria-hidden="true" />
      {text(`line.${line}`)}
    </span>
  );
}
