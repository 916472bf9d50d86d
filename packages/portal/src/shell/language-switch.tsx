/** Switches between the two languages; each is named in itself. */
import { useSpeech } from "./context.tsx";

export function LanguageSwitch() {
  const { text, setLanguage } = useSpeech();
  const other = text.language === "en" ? "zh-CN" : "en";
  return (
    <button type="button" className="quiet" lang={other} onClick={() => setLanguage(other)}>
      {text("language.other")}
    </button>
  );
}
