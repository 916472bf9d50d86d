/** The page as a whole: opens the wallet, enrols where there is a link, and else shows the patient's home. */
import { ApiClient } from "@xinglin/client";
import { Fault } from "@xinglin/primitives";
import { useEffect, useMemo, useState } from "react";
import { faultSentence } from "../text/fault-sentence.ts";
import { type Language, storedLanguage, storeLanguage, textIn } from "../text/language.ts";
import { Attention } from "../wallet/attention.ts";
import { openWalletStore } from "../wallet/store.ts";
import type { TakenLink } from "../wallet/take-link.ts";
import { Wallet } from "../wallet/wallet.ts";
import { SpeechContext } from "./context.tsx";
import { EnrolScreen } from "./enrol-screen.tsx";
import { HomeScreen } from "./home-screen.tsx";
import { LanguageSwitch } from "./language-switch.tsx";
import { Notice } from "./notice.tsx";
import { SafetyNet } from "./safety-net.tsx";
import { WelcomeScreen } from "./welcome-screen.tsx";

const attention = new Attention();

/** Speaks to the server that the page came from, in the language that is chosen when the request is made: its sentences come back in it. */
const newClient = (): ApiClient =>
  new ApiClient({
    url: location.origin,
    fetch: (input, init) =>
      fetch(input, { ...init, headers: { ...(init?.headers as Record<string, string>), "accept-language": storedLanguage() } }),
  });

export function App({ link: openedWith }: { link: TakenLink }) {
  const [language, setLanguage] = useState<Language>(storedLanguage);
  const text = useMemo(() => textIn(language), [language]);
  const [wallet, setWallet] = useState<Wallet | Fault | undefined>(undefined);
  const [link, setLink] = useState<TakenLink>(openedWith);
  const [generation, setGeneration] = useState(0);
  const [client, setClient] = useState(() => newClient());

  useEffect(() => {
    document.documentElement.lang = language;
    document.title = text("page.title");
  }, [language, text]);

  useEffect(() => {
    openWalletStore()
      .then((store) => Wallet.open(store, attention))
      .then(setWallet, (error: unknown) => setWallet(error instanceof Fault ? error : new Fault("wallet_unavailable")));
  }, []);

  const speech = useMemo(
    () => ({
      text,
      setLanguage: (chosen: Language) => {
        storeLanguage(chosen);
        setLanguage(chosen);
      },
    }),
    [text],
  );

  // Keys may have changed: a new client begins without the sessions of old ones.
  const reload = (): void => {
    setClient(newClient());
    setGeneration((number) => number + 1);
  };
  const content = (): React.ReactNode => {
    if (wallet === undefined) return <p role="status">{text("page.opening")}</p>;
    if (wallet instanceof Fault) return <Notice tone="bad">{faultSentence(text, wallet)}</Notice>;
    if (link !== undefined && link !== "broken")
      return (
        <EnrolScreen
          client={client}
          wallet={wallet}
          attention={attention}
          link={link}
          onDone={() => {
            setLink(undefined);
            reload();
          }}
        />
      );
    if (wallet.holdings.length === 0) return <WelcomeScreen isLinkBroken={link === "broken"} />;
    return <HomeScreen key={generation} client={client} wallet={wallet} attention={attention} reload={reload} />;
  };

  return (
    <SpeechContext value={speech}>
      <header className="top">
        <span className="brand">{text("page.brand")}</span>
        <LanguageSwitch />
      </header>
      <SafetyNet>{content()}</SafetyNet>
    </SpeechContext>
  );
}
