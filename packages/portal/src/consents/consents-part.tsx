/** The patient's consents in plain sentences: grant, narrow, revoke. Source: requirement C1. */
import type { ActorId } from "@xinglin/primitives";
import { useState } from "react";
import { useHome, useSnapshot, useText } from "../shell/context.tsx";
import { memberName } from "../text/names.ts";
import { ConsentItem } from "./consent-item.tsx";
import { GrantForm } from "./grant-form.tsx";

export function ConsentsPart({ item }: { item: string | undefined }) {
  const text = useText();
  const { feed, members } = useHome();
  const { consents, retired, loaded } = useSnapshot();
  const [isGranting, setGranting] = useState(false);
  const current = feed.pseudonyms.filter(({ holding }) => !retired.has(holding.patient));
  const isEmpty = loaded && current.every(({ holding }) => (consents.get(holding.patient as ActorId)?.length ?? 0) === 0);

  return (
    <section aria-labelledby="consents-title">
      <h1 id="consents-title">{text("consents.title")}</h1>
      <p>{text("consents.what")}</p>
      {!isGranting && current.length > 0 && (
        <div className="actions">
          <button type="button" className="primary" onClick={() => setGranting(true)}>
            {text("consents.grant")}
          </button>
        </div>
      )}
      {isGranting && <GrantForm pseudonyms={current} onClose={() => setGranting(false)} />}
      {isEmpty && <p className="empty">{text("consents.none")}</p>}
      {current.map((pseudonym) => {
        const { patient, member } = pseudonym.holding;
        const rows = consents.get(patient) ?? [];
        if (rows.length === 0) return null;
        return (
          <section key={patient} aria-label={memberName(text, members, member)}>
            {current.length > 1 && <h2>{text("consents.kept_at", { who: memberName(text, members, member) })}</h2>}
            <ol className="list">
              {rows.map((consent) => (
                <ConsentItem
                  key={consent.number}
                  pseudonym={pseudonym}
                  consent={consent}
                  isChosen={item === `${patient}/${consent.number}`}
                />
              ))}
            </ol>
          </section>
        );
      })}
    </section>
  );
}
