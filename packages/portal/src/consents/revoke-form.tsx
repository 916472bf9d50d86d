/** Asks once more before a consent is revoked. */
import { useText } from "../shell/context.tsx";
import { useFocusOnOpen } from "../shell/use-focus.ts";

interface Props {
  readonly effect: "permit" | "deny";
  readonly onRevoke: () => void;
  readonly onClose: () => void;
}

export function RevokeForm({ effect, onRevoke, onClose }: Props) {
  const text = useText();
  const form = useFocusOnOpen<HTMLFieldSetElement>();
  return (
    <fieldset ref={form} tabIndex={-1} className="confirm">
      <legend>{text("revoke.title")}</legend>
      <p>{text(effect === "permit" ? "revoke.what" : "revoke.what_deny")}</p>
      <div className="actions">
        <button type="button" className="danger" onClick={onRevoke}>
          {text("revoke.button")}
        </button>
        <button type="button" onClick={onClose}>
          {text("action.cancel")}
        </button>
      </div>
    </fieldset>
  );
}
