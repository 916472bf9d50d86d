/** Narrowing: only what takes something away is offered. Source: requirement C1 (narrowing never widens). */
import type { Grantee } from "@xinglin/contracts";
import { useState } from "react";
import type { ConsentRow } from "../feed/rows.ts";
import { useHome, useText } from "../shell/context.tsx";
import { useFocusOnOpen } from "../shell/use-focus.ts";
import { periodName } from "../text/names.ts";
import { keepAll, type Narrowing, narrowedTerms, narrowingChoices, toggled } from "./choices.ts";
import { CoveredFields, RoleField } from "./term-fields.tsx";
import { granteeName, termsSentence } from "./terms-sentence.ts";
import type { Signing } from "./use-signing.ts";

interface Props {
  readonly consent: ConsentRow;
  readonly signing: Signing;
  readonly onNarrow: (terms: ConsentRow["terms"]) => void;
  readonly onClose: () => void;
}

export function NarrowForm({ consent: { terms }, signing, onNarrow, onClose }: Props) {
  const text = useText();
  const { members } = useHome();
  const form = useFocusOnOpen<HTMLFieldSetElement>();
  const [narrowing, setNarrowing] = useState<Narrowing>(() => keepAll(terms));
  const change = (part: Partial<Narrowing>): void => setNarrowing((before) => ({ ...before, ...part }));
  const now = Math.floor(Date.now() / 1_000);
  const choices = narrowingChoices(terms, now);
  const narrowed = narrowedTerms(terms, narrowing, now);

  return (
    <fieldset ref={form} tabIndex={-1} className="confirm">
      <legend>{text("narrow.title")}</legend>
      <p>{text("narrow.what")}</p>
      {choices.grantees.length > 1 && (
        <fieldset>
          <legend>{text("grant.grantees")}</legend>
          <div className="checks">
            {choices.grantees.map((grantee: Grantee) => (
              <label key={JSON.stringify(grantee)} className="check">
                <input
                  type="checkbox"
                  checked={narrowing.grantees.includes(grantee)}
                  onChange={() => change({ grantees: toggled(choices.grantees, narrowing.grantees, grantee) })}
                />
                <span>{granteeName(text, members, grantee)}</span>
              </label>
            ))}
          </div>
        </fieldset>
      )}
      {choices.roles.length > 0 && (
        <RoleField roles={choices.roles} chosen={narrowing.role} onChange={(role) => change({ role })} />
      )}
      <CoveredFields offered={choices} chosen={narrowing} onChange={change} />
      <label className="field">
        <span>{text("narrow.period")}</span>
        <select
          name="days"
          value={narrowing.days ?? ""}
          onChange={({ target }) => change({ days: target.value === "" ? undefined : Number(target.value) })}
        >
          <option value="">{text("narrow.keep_period")}</option>
          {choices.days.map((days) => (
            <option key={days} value={days}>
              {periodName(text, days)}
            </option>
          ))}
        </select>
      </label>
      <div className="preview" role="status">
        <p className="subhead">{text("grant.preview")}</p>
        <p className="sentence">
          {typeof narrowed === "string" ? text(`narrow.${narrowed}`) : termsSentence(text, members, narrowed)}
        </p>
      </div>
      <div className="actions">
        <button
          type="button"
          className="primary"
          disabled={typeof narrowed === "string" || signing.running}
          onClick={() => typeof narrowed !== "string" && onNarrow(narrowed)}
        >
          {text("narrow.sign")}
        </button>
        <button type="button" onClick={onClose}>
          {text("action.cancel")}
        </button>
      </div>
    </fieldset>
  );
}
