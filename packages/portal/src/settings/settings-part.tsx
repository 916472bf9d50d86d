/** Language, exports, and what this device holds. */
import { useState } from "react";
import { forgetChains } from "../chain/store.ts";
import { useHome, useSnapshot, useSpeech } from "../shell/context.tsx";
import { ErrorNotice } from "../shell/notice.tsx";
import { useTask } from "../shell/use-task.ts";
import { LANGUAGES } from "../text/language.ts";
import { memberName } from "../text/names.ts";

export function SettingsPart() {
  const { text, setLanguage } = useSpeech();
  const home = useHome();
  const { feed, chain, members, wallet, attention, reload } = home;
  const { retired, loaded } = useSnapshot();
  const exporting = useTask();
  const forgetting = useTask();
  const [isAsking, setAsking] = useState(false);

  const save = (kind: "list" | "evidence"): void =>
    exporting.run(() =>
      attention.during(async () => {
        const { saveEvidence, saveList } = await import("./export.ts");
        await (kind === "list" ? saveList(home) : saveEvidence(home));
      }),
    );

  return (
    <section aria-labelledby="settings-title">
      <h1 id="settings-title">{text("settings.title")}</h1>
      <h2>{text("settings.language")}</h2>
      <div className="actions">
        {LANGUAGES.map((language) => (
          <button
            key={language}
            type="button"
            lang={language}
            aria-pressed={language === text.language}
            onClick={() => setLanguage(language)}
          >
            {text(`language.${language}`)}
          </button>
        ))}
      </div>
      <h2>{text("settings.export")}</h2>
      <p>{text("settings.export_what")}</p>
      <div className="actions">
        <button type="button" disabled={exporting.running || !loaded} onClick={() => save("list")}>
          {text("settings.export_list")}
        </button>
        <button type="button" disabled={exporting.running || !loaded} onClick={() => save("evidence")}>
          {text("settings.export_evidence")}
        </button>
      </div>
      {exporting.running && <p role="status">{text("settings.exporting")}</p>}
      <ErrorNotice error={exporting.error} />
      <h2>{text("settings.keys")}</h2>
      <ul className="list">
        {feed.pseudonyms.map(({ holding }) => (
          <li key={holding.patient} className="card">
            <p className="sentence">{memberName(text, members, holding.member)}</p>
            <p>{text(retired.has(holding.patient) ? "settings.key_retired" : `settings.key_${holding.key.kind}`)}</p>
            <p className="hint secret">{text("settings.pseudonym", { patient: holding.patient })}</p>
            <p className="hint secret">{text("settings.chain", { chain: holding.chain })}</p>
          </li>
        ))}
      </ul>
      <h2>{text("forget.title")}</h2>
      <p>{text("forget.what")}</p>
      {isAsking ? (
        <fieldset className="confirm">
          <legend>{text("forget.ask")}</legend>
          <div className="actions">
            <button
              type="button"
              className="danger"
              disabled={forgetting.running}
              onClick={() =>
                forgetting.run(async () => {
                  feed.stop();
                  chain.stop();
                  await wallet.forget();
                  await forgetChains();
                  reload();
                })
              }
            >
              {text("forget.button")}
            </button>
            <button type="button" onClick={() => setAsking(false)}>
              {text("action.cancel")}
            </button>
          </div>
        </fieldset>
      ) : (
        <button type="button" className="quiet danger" onClick={() => setAsking(true)}>
          {text("forget.start")}
        </button>
      )}
      <ErrorNotice error={forgetting.error} />
    </section>
  );
}
