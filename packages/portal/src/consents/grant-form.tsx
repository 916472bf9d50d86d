/** Granting: to whom, for what, which records, until when; the sentence is read before it is signed. Source: requirement C1. */
import { CATEGORIES, LEVELS, PURPOSES, ROLES } from "@xinglin/contracts";
import type { MemberId } from "@xinglin/primitives";
import { useId, useState } from "react";
import type { Member } from "../feed/feed.ts";
import { useHome, useText } from "../shell/context.tsx";
import { useFocusOnOpen } from "../shell/use-focus.ts";
import { memberName, periodName, word } from "../text/names.ts";
import { FIRST_CHOICE, type GrantChoice, missing, PERIODS, PERMITTED_LEVELS, termsOf } from "./choices.ts";
import { SigningNotice } from "./signing-notice.tsx";
import { CoveredFields, RoleField } from "./term-fields.tsx";
import { termsSentence } from "./terms-sentence.ts";
import { useSigning } from "./use-signing.ts";

interface Props {
  /** Pseudonyms whose keys sign here; there is at least one. */
  readonly pseudonyms: readonly Member[];
  readonly onClose: () => void;
}

export function GrantForm({ pseudonyms, onClose }: Props) {
  const text = useText();
  const { members } = useHome();
  const id = useId();
  const form = useFocusOnOpen<HTMLFormElement>();
  const [source, setSource] = useState(pseudonyms[0]?.holding.patient);
  const [choice, setChoice] = useState<GrantChoice>(FIRST_CHOICE);
  const chosenSource = pseudonyms.find(({ holding }) => holding.patient === source) ?? (pseudonyms[0] as Member);
  const signing = useSigning(chosenSource);
  const change = (part: Partial<GrantChoice>): void => setChoice((before) => ({ ...before, ...part }));
  // A minute back, for a chain whose newest block is a little behind this clock.
  const terms = termsOf(choice, Math.floor(Date.now() / 1_000) - 60);
  const lack = missing(choice);
  const isDone = signing.stage?.stage === "provable";
  const levels = choice.effect === "permit" ? PERMITTED_LEVELS : LEVELS;

  return (
    <form ref={form} tabIndex={-1} className="card" aria-labelledby={`${id}-title`} onSubmit={(event) => event.preventDefault()}>
      <h2 id={`${id}-title`}>{text("grant.title")}</h2>
      {pseudonyms.length > 1 && (
        <label className="field">
          <span>{text("grant.source")}</span>
          <select value={chosenSource.holding.patient} onChange={({ target }) => setSource(target.value as typeof source)}>
            {pseudonyms.map(({ holding }) => (
              <option key={holding.patient} value={holding.patient}>
                {memberName(text, members, holding.member)}
              </option>
            ))}
          </select>
        </label>
      )}
      <fieldset>
        <legend>{text("grant.effect")}</legend>
        <div className="checks">
          {(["permit", "deny"] as const).map((effect) => (
            <label key={effect} className="check">
              <input
                type="radio"
                name={`${id}-effect`}
                value={effect}
                checked={choice.effect === effect}
                onChange={() =>
                  change({
                    effect,
                    levels: choice.levels.filter((level) => effect === "deny" || PERMITTED_LEVELS.includes(level)),
                  })
                }
              />
              <span>{text(`grant.effect_${effect}`)}</span>
            </label>
          ))}
        </div>
      </fieldset>
      <label className="field">
        <span>{text("grant.member")}</span>
        <select
          name="member"
          value={choice.member ?? ""}
          onChange={({ target }) => change({ member: target.value === "" ? undefined : (target.value as MemberId) })}
        >
          <option value="">{text("grant.choose")}</option>
          {members
            .filter(({ status }) => status === "active")
            .map((member) => (
              <option key={member.id} value={member.id}>
                {text("grant.member_option", {
                  who: memberName(text, members, member.id),
                  kind: word(text, "memberKind", member.kind),
                })}
              </option>
            ))}
        </select>
      </label>
      <RoleField roles={ROLES} chosen={choice.role} onChange={(role) => change({ role })} />
      <CoveredFields offered={{ purposes: PURPOSES, categories: CATEGORIES, levels }} chosen={choice} onChange={change} />
      {choice.effect === "permit" && <p className="hint">{text("grant.core")}</p>}
      <label className="field">
        <span>{text("grant.period")}</span>
        <select name="days" value={choice.days} onChange={({ target }) => change({ days: Number(target.value) })}>
          {PERIODS.map((days) => (
            <option key={days} value={days}>
              {periodName(text, days)}
            </option>
          ))}
        </select>
      </label>
      <div className="preview" role="status">
        <p className="subhead">{text("grant.preview")}</p>
        <p className="sentence">
          {terms === undefined ? text(`grant.missing_${lack ?? "member"}`) : termsSentence(text, members, terms)}
        </p>
      </div>
      <SigningNotice signing={signing} />
      <div className="actions">
        {!isDone && (
          <button
            type="submit"
            className="primary"
            disabled={terms === undefined || signing.running}
            onClick={() => terms !== undefined && signing.sign({ kind: "grant", terms })}
          >
            {text("grant.sign")}
          </button>
        )}
        <button type="button" disabled={signing.running} onClick={onClose}>
          {text(isDone ? "action.close" : "action.cancel")}
        </button>
      </div>
    </form>
  );
}
