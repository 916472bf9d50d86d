/** A new phone instead of this one; and what to do when the old one is gone. Source: requirement B1; design.md, "Identity" (lost phone). */
import { useState } from "react";
import { useHome, useSnapshot, useText } from "../shell/context.tsx";
import { ErrorNotice, Notice } from "../shell/notice.tsx";
import { useTask } from "../shell/use-task.ts";
import { joined, memberName } from "../text/names.ts";
import { QrCode } from "./qr-code.tsx";

export function PhonePart() {
  const text = useText();
  const { client, feed, attention, members } = useHome();
  const { retired } = useSnapshot();
  const task = useTask();
  const [link, setLink] = useState<string | undefined>(undefined);
  const [isCopied, setCopied] = useState(false);
  const current = feed.pseudonyms.filter(({ holding }) => !retired.has(holding.patient));
  const institutions = joined(
    text,
    feed.pseudonyms.map(({ holding }) => memberName(text, members, holding.member)),
  );

  const make = (): void =>
    task.run(async () => {
      setCopied(false);
      const { linkForNewPhone } = await import("./make-link.ts");
      const identities = current.map(({ identity }) => identity);
      setLink(await attention.during(() => linkForNewPhone(client, `${location.origin}/`, identities)));
    });
  const copy = (whole: string): void =>
    task.run(async () => {
      await navigator.clipboard.writeText(whole);
      setCopied(true);
    });

  return (
    <section aria-labelledby="phone-title">
      <h1 id="phone-title">{text("phone.title")}</h1>
      <h2>{text("phone.have_title")}</h2>
      <p>{text("phone.have")}</p>
      <div className="actions">
        <button type="button" className="primary" disabled={task.running || current.length === 0} onClick={make}>
          {text(link === undefined ? "phone.make" : "phone.make_again")}
        </button>
      </div>
      <ErrorNotice error={task.error} />
      {link !== undefined && (
        <div className="card link">
          <QrCode content={link} label={text("phone.qr")} />
          <p>{text("phone.scan")}</p>
          <p className="secret">{link}</p>
          <div className="actions">
            <button type="button" onClick={() => copy(link)}>
              {text(isCopied ? "phone.copied" : "phone.copy")}
            </button>
          </div>
          <Notice tone="mind">{text("phone.careful")}</Notice>
        </div>
      )}
      <h2>{text("phone.gone_title")}</h2>
      <p>{text("phone.gone", { who: institutions })}</p>
      <p>{text("phone.gone_effect")}</p>
    </section>
  );
}
