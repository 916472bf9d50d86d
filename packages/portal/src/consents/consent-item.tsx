/** One consent: its sentence, where it stands, and what its owner may do with it. */
import { useEffect, useRef, useState } from "react";
import type { Member } from "../feed/feed.ts";
import type { ConsentRow } from "../feed/rows.ts";
import { useHome, useText } from "../shell/context.tsx";
import { shanghaiTime } from "../text/time.ts";
import { NarrowForm } from "./narrow-form.tsx";
import { RevokeForm } from "./revoke-form.tsx";
import { SigningNotice } from "./signing-notice.tsx";
import { standing, termsSentence } from "./terms-sentence.ts";
import { useSigning } from "./use-signing.ts";

interface Props {
  readonly pseudonym: Member;
  readonly consent: ConsentRow;
  readonly isChosen: boolean;
}

export function ConsentItem({ pseudonym, consent, isChosen }: Props) {
  const text = useText();
  const { members } = useHome();
  const [doing, setDoing] = useState<"narrow" | "revoke" | undefined>(undefined);
  const revoking = useSigning(pseudonym);
  const narrowing = useSigning(pseudonym);
  const element = useRef<HTMLLIElement>(null);
  const state = standing(consent, Date.now() / 1_000);
  const isOpen = state === "in_force" || state === "not_yet";
  const { number, terms, version, grantedAt, revokedAt, reads } = consent;

  useEffect(() => {
    if (isChosen) element.current?.focus();
  }, [isChosen]);

  return (
    <li
      ref={element}
      tabIndex={-1}
      className={`card consent ${isOpen ? "" : "over"} ${isChosen ? "chosen" : ""}`}
      data-number={number}
    >
      <p className="meta">
        <span className={`outcome ${isOpen ? (terms.effect === "permit" ? "good" : "bad") : ""}`}>
          {text(`standing.${state}`)}
        </span>
        <span>{text("consent.number", { number })}</span>
        {version > 1 && <span>{text("consent.version", { version })}</span>}
      </p>
      <p className="sentence">{termsSentence(text, members, terms)}</p>
      <p className="hint">
        {text("consent.granted", { time: shanghaiTime(grantedAt) })}
        {revokedAt !== undefined && text("consent.revoked", { time: shanghaiTime(revokedAt) })}
      </p>
      <p className="hint">{text("consent.reads", { count: reads })}</p>
      {isOpen && doing === undefined && (
        <div className="actions">
          {terms.effect === "permit" && (
            <button type="button" className="quiet" onClick={() => setDoing("narrow")}>
              {text("consent.narrow")}
            </button>
          )}
          <button type="button" className="quiet danger" onClick={() => setDoing("revoke")}>
            {text("consent.revoke")}
          </button>
        </div>
      )}
      {doing === "narrow" && (
        <NarrowForm
          consent={consent}
          signing={narrowing}
          onClose={() => setDoing(undefined)}
          onNarrow={(narrowed) => {
            narrowing.sign({ kind: "narrow", number, terms: narrowed });
            setDoing(undefined);
          }}
        />
      )}
      {doing === "revoke" && (
        <RevokeForm
          effect={terms.effect}
          onClose={() => setDoing(undefined)}
          onRevoke={() => {
            revoking.sign({ kind: "revoke", number });
            setDoing(undefined);
          }}
        />
      )}
      <SigningNotice signing={narrowing} />
      <SigningNotice signing={revoking} />
    </li>
  );
}
