/** First opening by a one-time link: what happens, and which kind of key. Source: requirement B1; design.md, "Identity". */
import type { ApiClient, EnrolmentLink } from "@xinglin/client";
import { Fault } from "@xinglin/primitives";
import { useEffect, useState } from "react";
import { openChainStore } from "../chain/store.ts";
import { fetchMembers, type MemberRow } from "../feed/rows.ts";
import { joined, memberName } from "../text/names.ts";
import type { Attention } from "../wallet/attention.ts";
import { makeDeviceKey } from "../wallet/device-key.ts";
import { enrolAll, type MakeKey } from "../wallet/enrol.ts";
import { makePasskey, type PasskeyGap, passkeyGap } from "../wallet/passkey.ts";
import type { Wallet } from "../wallet/wallet.ts";
import { useText } from "./context.tsx";
import { ErrorNotice, Notice } from "./notice.tsx";
import { useTask } from "./use-task.ts";

/** Once used, a one-time key is gone from the chain: then it is unknown there. */
const USED_CODES: ReadonlySet<string> = new Set(["enrolment_used", "unknown_key", "key_retired", "not_enrolment_key"]);

interface Props {
  readonly client: ApiClient;
  readonly wallet: Wallet;
  readonly attention: Attention;
  readonly link: EnrolmentLink;
  readonly onDone: () => void;
}

export function EnrolScreen({ client, wallet, attention, link, onDone }: Props) {
  const text = useText();
  const task = useTask();
  const [members, setMembers] = useState<readonly MemberRow[]>([]);
  const [gap, setGap] = useState<PasskeyGap | "asking" | undefined>("asking");
  const { error } = task;
  const isUsed = error instanceof Fault && USED_CODES.has(error.code);
  const isOver = error instanceof Fault && error.code === "enrolment_over";

  useEffect(() => {
    fetchMembers(client).then(setMembers, () => {});
    client
      .genesis()
      .then(({ genesis }) => passkeyGap(genesis))
      .then(setGap, () => setGap("no_authenticator"));
  }, [client]);

  const enrol = (makeKey: MakeKey): void =>
    task.run(async () => {
      await attention.during(() => enrolAll(client, wallet, link, makeKey));
      const { chain, checkpoint } = link;
      if (checkpoint !== undefined) await openChainStore(chain).keepCheckpoint(checkpoint);
      onDone();
    });
  const institutions = joined(
    text,
    link.pseudonyms.map(({ member }) => memberName(text, members, member)),
  );

  if (isUsed || isOver)
    return (
      <main className="screen">
        <h1>{text(isUsed ? "enrol.used_title" : "enrol.over_title")}</h1>
        <Notice tone="bad">{text(isUsed ? "enrol.used" : "enrol.over")}</Notice>
        <p>{text("enrol.ask_again")}</p>
        {wallet.holdings.length > 0 && (
          <button type="button" onClick={onDone}>
            {text("enrol.to_home")}
          </button>
        )}
      </main>
    );
  return (
    <main className="screen">
      <h1>{text("enrol.title")}</h1>
      <p>{text("enrol.what", { who: institutions })}</p>
      <p>{text("enrol.key")}</p>
      <ErrorNotice error={error} />
      <div className="choices">
        <section className="card">
          <h2>{text("enrol.passkey_title")}</h2>
          <p>{text("enrol.passkey_what", { count: link.pseudonyms.length })}</p>
          {gap !== undefined && gap !== "asking" && <p className="hint">{text(`enrol.passkey_${gap}`)}</p>}
          <button
            type="button"
            className="primary"
            disabled={gap !== undefined || task.running}
            onClick={() =>
              enrol((member) => makePasskey(text("enrol.passkey_name", { who: memberName(text, members, member) }), attention))
            }
          >
            {text("enrol.passkey_button")}
          </button>
        </section>
        <section className="card">
          <h2>{text("enrol.device_title")}</h2>
          <p>{text("enrol.device_what")}</p>
          <button type="button" disabled={task.running} onClick={() => enrol(makeDeviceKey)}>
            {text("enrol.device_button")}
          </button>
        </section>
      </div>
      {task.running && <p role="status">{text("enrol.running")}</p>}
      <p className="hint">{text("enrol.chain", { chain: link.chain })}</p>
    </main>
  );
}
