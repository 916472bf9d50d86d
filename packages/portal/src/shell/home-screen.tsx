/** The enrolled patient's page: what state the line is in, what needs attention, and the chosen part. */
import type { ApiClient } from "@xinglin/client";
import { useCallback, useEffect, useMemo, useState } from "react";
import { AccessesPart } from "../accesses/accesses-part.tsx";
import { openChainStore } from "../chain/store.ts";
import { ChainWatch } from "../chain/watch.ts";
import { ConsentsPart } from "../consents/consents-part.tsx";
import { Feed, type Member } from "../feed/feed.ts";
import { fetchMembers, type MemberRow } from "../feed/rows.ts";
import { PhonePart } from "../phone/phone-part.tsx";
import { SettingsPart } from "../settings/settings-part.tsx";
import type { Attention } from "../wallet/attention.ts";
import { settle } from "../wallet/enrol.ts";
import type { Wallet } from "../wallet/wallet.ts";
import { HomeContext, useText } from "./context.tsx";
import { Notices } from "./notices.tsx";
import { hrefOf, TABS, useRoute } from "./route.ts";

interface Props {
  readonly client: ApiClient;
  readonly wallet: Wallet;
  readonly attention: Attention;
  readonly reload: () => void;
}

export function HomeScreen({ client, wallet, attention, reload }: Props) {
  const text = useText();
  const { tab, item } = useRoute();
  const [members, setMembers] = useState<readonly MemberRow[]>([]);
  const [feed, setFeed] = useState<Feed | undefined>(undefined);

  const loadMembers = useCallback(() => {
    fetchMembers(client).then(setMembers, () => {});
  }, [client]);

  const chain = useMemo(() => {
    const id = wallet.current[0]?.chain ?? "";
    return new ChainWatch(client, id, openChainStore(id));
  }, [client, wallet]);
  useEffect(() => {
    chain.start();
    return () => chain.stop();
  }, [chain]);

  useEffect(() => {
    let isGone = false;
    let started: Feed | undefined;
    void openFeed(client, wallet).then((opened) => {
      if (isGone) return;
      started = opened;
      setFeed(opened);
      opened.start();
      void opened.refreshAll();
    });
    loadMembers();
    return () => {
      isGone = true;
      started?.stop();
    };
  }, [client, wallet, loadMembers]);

  // What failed while the server was away is fetched when it is back.
  useEffect(() => {
    if (feed === undefined || members.length > 0) return;
    return feed.subscribe(() => feed.snapshot().line === "live" && loadMembers());
  }, [feed, members.length, loadMembers]);

  const home = useMemo(
    () => (feed === undefined ? undefined : { client, wallet, feed, chain, attention, members, reload }),
    [client, wallet, feed, chain, attention, members, reload],
  );
  if (home === undefined) return <p role="status">{text("page.opening")}</p>;
  return (
    <HomeContext value={home}>
      <nav aria-label={text("nav.label")}>
        {TABS.map((one) => (
          <a key={one} href={hrefOf(one)} aria-current={one === tab ? "page" : undefined}>
            {text(`nav.${one}`)}
          </a>
        ))}
      </nav>
      <main className="screen">
        <Notices />
        {tab === "accesses" && <AccessesPart />}
        {tab === "consents" && <ConsentsPart item={item} />}
        {tab === "phone" && <PhonePart />}
        {tab === "settings" && <SettingsPart />}
      </main>
    </HomeContext>
  );
}

async function openFeed(client: ApiClient, wallet: Wallet): Promise<Feed> {
  // A key whose enrolment was interrupted: the chain knows by now whether it has it.
  for (const holding of wallet.current.filter(({ state }) => state === "pending"))
    await settle(client, wallet, holding).catch(() => false);
  const pseudonyms: Member[] = await Promise.all(
    wallet.current.map(async (holding) => ({ holding, identity: await wallet.identity(holding) })),
  );
  return new Feed(client, pseudonyms, (patient) => void wallet.setState(patient, "retired"));
}
