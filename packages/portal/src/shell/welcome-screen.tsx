/** The page without a key: how to get a link. */
import { useText } from "./context.tsx";
import { Notice } from "./notice.tsx";

export function WelcomeScreen({ isLinkBroken }: { isLinkBroken: boolean }) {
  const text = useText();
  return (
    <main className="screen">
      <h1>{text("welcome.title")}</h1>
      {isLinkBroken && (
        <Notice tone="bad" title={text("welcome.broken_title")}>
          {text("welcome.broken")}
        </Notice>
      )}
      <p>{text("welcome.what")}</p>
      <h2>{text("welcome.how_title")}</h2>
      <ol>
        <li>{text("welcome.how_1")}</li>
        <li>{text("welcome.how_2")}</li>
        <li>{text("welcome.how_3")}</li>
      </ol>
      <p>{text("welcome.lost")}</p>
    </main>
  );
}
