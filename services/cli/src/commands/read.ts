/** `xinglin grants|read|accesses`: what a doctor asks for elsewhere, and who read what. Source: requirements C2, C3, C10. */
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { category, level, purpose } from "@xinglin/contracts";
import {
  bytesText,
  createSay,
  decodeTicket,
  fetchObject,
  type KeyOfFile,
  openGrants,
  progressBar,
  type ReadRequest,
  readKeyFile,
  redeemPermit,
  requestRead,
  shanghaiTime,
  streamObject,
} from "@xinglin/gateway";
import { actorId, credentialId, Fault, recordId } from "@xinglin/primitives";
import { aliasPath, type Command, type Context } from "../command.ts";
import { reasonLines, refusalSentence } from "../fault-sentence.ts";
import { PART_OPTIONS, partOf, toOutput } from "./read-part.ts";

/** The grants that name my member, each with the pseudonym at the source that was sealed to it. */
export const grants: Command = {
  words: "grants",
  options: {},
  async run(context) {
    const by = context.key();
    const { client } = context.gateway();
    const { hpkeSeed } = institutionKey(context, by);
    const opened = hpkeSeed === undefined ? [] : await openGrants(client, by, hpkeSeed);
    for (const { patient, source, local, number } of opened)
      context.tell("grants.line", { patient, source, local: local ?? "–", number });
  },
};

const institutionKey = ({ data }: Context, by: KeyOfFile): KeyOfFile =>
  readKeyFile(aliasPath(data, `${by.member}/administration`));

export const read: Command = {
  words: "read",
  options: {
    patient: { type: "string" },
    record: { type: "string" },
    ticket: { type: "string" },
    purpose: { type: "string" },
    approval: { type: "string" },
    class: { type: "string" },
    "record-version": { type: "string" },
    out: { type: "string" },
    ...PART_OPTIONS,
  },
  async run(context) {
    const only = partOf(context);
    const isStreamed = context.need("out") === "-";
    // What is fetched goes to standard output, and what is said to where errors go.
    const say = isStreamed
      ? createSay(new URL("../../messages/", import.meta.url), context.say.language, (line) => process.stderr.write(`${line}\n`))
      : context.say;
    const by = context.key();
    const gateway = context.gateway();
    const credential = credentialId.parse(context.text("credential") ?? by.credential ?? "");
    const target = await targetOf(context, by);
    const approval = context.text("approval");
    const decision = await requestRead(gateway, by, {
      patient: actorId.parse(context.need("patient")),
      purpose: purpose.parse(context.text("purpose") ?? "TREAT"),
      ...target,
      credential,
      ...(approval === undefined ? {} : { approval: credentialId.parse(approval) }),
    });
    if (!decision.permitted) {
      const [result] = decision.receipt.results;
      for (const line of reasonLines(result?.reason, say.language)) process.stderr.write(`${line}\n`);
      throw new Fault("read_refused", {
        code: result?.code ?? "",
        sentence: refusalSentence(result?.code ?? "", result?.facts ?? {}, say.language),
      });
    }
    const { held } = decision;
    say.plain("read.permit", { number: held.number, until: shanghaiTime(held.permit.expiresAt) });
    const { contentKey, released, refused } = await redeemPermit(gateway, by, held);
    say.plain("read.shares", { released: released.length, threshold: held.permit.custody.threshold });
    for (const { custodian, code } of refused) say.plain("read.custodian_refused", { custodian, code });
    const bar = progressBar(say.text("progress.fetch"));
    const folder = isStreamed ? "-" : resolve(context.need("out"));
    const { readBytes, rebuiltPieces, troubles } = isStreamed
      ? await streamObject(gateway, held.permit, contentKey, by, only, toOutput)
      : await fetchObject(gateway, held.permit, contentKey, folder, by, bar.update, only);
    bar.end();
    contentKey.fill(0);
    for (const trouble of troubles) say.plain("read.trouble", { store: trouble.store, kind: trouble.kind });
    say.plain("read.done", { size: bytesText(readBytes), rebuilt: rebuiltPieces, folder });
  },
};

/** A record of its own by its id, or one of a batch by its ticket, and its class. */
async function targetOf(context: Context, by: KeyOfFile): Promise<Pick<ReadRequest, "target" | "class">> {
  const ticket = context.text("ticket");
  if (ticket !== undefined) {
    const target = decodeTicket(ticketBytes(resolve(ticket)), ticket);
    return { target, class: target.leaf.class };
  }
  const record = recordId.parse(context.need("record"));
  const told = context.text("class")?.split("/");
  // A search told it: where a review opens a class, the node shows nobody the record before it is permitted.
  if (told !== undefined)
    return {
      target: { kind: "record", record, version: context.number("record-version", 1) },
      class: { category: category.parse(told[0]), level: level.parse(told[1]) },
    };
  const found = (await context.gateway().client.getJson(`/v1/records/${record}`, by)) as {
    version: number;
    class: { level: string; category: string };
  };
  return {
    target: { kind: "record", record, version: found.version },
    class: { level: level.parse(found.class.level), category: category.parse(found.class.category) },
  };
}

function ticketBytes(path: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new Fault("ticket_unreadable", { path }, { cause });
  }
}

export const accesses: Command = {
  words: "accesses",
  options: { patient: { type: "string" } },
  async run(context) {
    const by = context.key();
    const patient = actorId.parse(context.text("patient") ?? by.actor);
    context.print(await context.gateway().client.getJson(`/v1/patients/${patient}/accesses`, by));
  },
};
