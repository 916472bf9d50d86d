/** `xinglin stores`: the stores, whether each is there, and what losing each member would mean. Source: requirements D2, D4. */
import { DEFAULT_CODE, describeLoss, openStore } from "@xinglin/archive";
import { placingFor } from "@xinglin/gateway";
import type { Command } from "../command.ts";
import { codeText, percentText, promiseLines } from "../tell-promise.ts";

export const stores: Command = {
  words: "stores",
  options: {},
  async run({ gateway, key, say, json, print, text }) {
    const opened = gateway();
    const all = text("as") === undefined ? opened.file.stores.map(openStore) : (await opened.stores(key())).readable;
    // What the chain has observed of nodes is proven to whoever asks in a name.
    const promise = text("as") === undefined ? undefined : (await placingFor(opened, key())).promise;
    const rows = await Promise.all(
      all.map(async (store) => ({
        id: store.id,
        member: store.member,
        present: await store.isPresent(),
        objects: (await store.list().catch(() => [])).length,
      })),
    );
    const loss = describeLoss(all, promise?.code ?? DEFAULT_CODE);
    if (json) return print({ stores: rows, loss, ...(promise === undefined ? {} : { promise }) });
    for (const row of rows)
      say.plain(row.present ? "stores.present" : "stores.absent", { id: row.id, member: row.member, objects: row.objects });
    for (const member of loss.members)
      say.plain(member.readable ? "stores.loss_readable" : "stores.loss_unreadable", {
        member: member.member,
        stores: member.stores,
        spare: member.spare,
      });
    say.plain("stores.any", { members: loss.anyMembers });
    if (promise === undefined) return;
    const { stores, overhead, unreadable, isKept } = promise;
    const facts = { stores, code: codeText(promise), overhead: overhead.toFixed(2), readable: percentText(unreadable) };
    if (isKept) say.plain("promise.kept", facts);
    for (const line of promiseLines(say, promise)) process.stdout.write(`${line}\n`);
  },
};
