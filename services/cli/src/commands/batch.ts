/** `xinglin batch …`: many small records at once. Source: requirement J9; docs/internals/small-records.md. */
import { createReadStream, rmSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { createInterface } from "node:readline";
import { category, level } from "@xinglin/contracts";
import { batchLeaves, bytesText, encodeTicket, endLeaf, importBatches, type SmallRecordInput } from "@xinglin/gateway";
import { actorId, Fault, type Infer, recordId, schema } from "@xinglin/primitives";
import type { Command, Context } from "../command.ts";
import { codeText, tellPromises } from "../tell-promise.ts";
import { importingGateway } from "./importing-gateway.ts";
import { tellUndescribed } from "./record.ts";

const MAX_LINE_BYTES = 262_144;
/** One line: whose record it is, of which class, and the FHIR resource as it is to be kept. */
const line = schema.object({
  patient: actorId,
  level,
  category,
  record: schema.optional(recordId),
  resource: { parse: (value: unknown) => value as object },
});

/** The records of an NDJSON file, one at a time. Throws `batch_line_wrong`. */
async function* recordsOf(path: string): AsyncGenerator<SmallRecordInput> {
  let number = 0;
  for await (const text of createInterface({ input: createReadStream(path), crlfDelay: Number.POSITIVE_INFINITY })) {
    number++;
    if (text.trim() === "") continue;
    const { patient, level, category, record, resource } = parseLine(text, number);
    const content = Buffer.from(JSON.stringify(resource));
    yield { patient, class: { level, category }, format: "fhir", content, ...(record === undefined ? {} : { record }) };
  }
}

function parseLine(text: string, number: number): Infer<typeof line> {
  const wrong = (reason: string): Fault => new Fault("batch_line_wrong", { line: number, reason });
  if (text.length > MAX_LINE_BYTES) throw wrong("too_long");
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw wrong("not_json"); // without its cause, which could quote the line
  }
  try {
    const parsed = line.parse(value);
    if (typeof parsed.resource !== "object" || parsed.resource === null) throw wrong("/resource");
    return parsed;
  } catch (error) {
    throw error instanceof Fault && error.code === "malformed" ? wrong(String(error.facts.element)) : error;
  }
}

/** `xinglin batch import FILE.ndjson`; with `--out` the ids of the records are written line by line, in the order of the file. */
export const importFile: Command = {
  words: "batch import",
  options: { device: { type: "string" }, out: { type: "string" }, profile: { type: "string" } },
  positionals: ["FILE"],
  async run(context) {
    const [path] = context.positionals;
    if (path === undefined) throw new Fault("option_missing", { option: "FILE" });
    const by = context.key();
    const out = context.text("out");
    const abort = new AbortController();
    process.once("SIGINT", () => abort.abort());
    const device = context.text("device") === undefined ? {} : { device: context.key("device") };
    const options = { by, ...device, leaves: leavesOf(context), signal: abort.signal };
    if (out !== undefined) rmSync(resolve(out), { force: true });
    for await (const batch of importBatches(importingGateway(context), recordsOf(resolve(path)), options)) {
      const { records, packs, sizeBytes, storedBytes, transactionBytes, height } = batch;
      const text = records.map((record) => `${record}\n`).join("");
      if (out !== undefined) writeFileSync(resolve(out), text, { flag: "a", mode: 0o600 });
      context.tell("batch.anchored", {
        root: Buffer.from(batch.root).toString("hex"),
        records: records.length,
        packs,
        size: bytesText(sizeBytes),
        stored: bytesText(storedBytes),
        code: codeText(batch.promise),
        transaction: transactionBytes,
        height,
      });
      tellPromises(context.say, [batch]);
      tellUndescribed(context, [batch]);
    }
  },
};

const leavesOf = (context: Context) => batchLeaves(context.data, context.key().member);

/** The ticket of a record, for whoever may read it. */
export const ticket: Command = {
  words: "batch ticket",
  options: { record: { type: "string" }, out: { type: "string" } },
  async run(context) {
    const record = recordId.parse(context.need("record"));
    const out = resolve(context.need("out"));
    writeFileSync(out, encodeTicket(leavesOf(context).ticketOf(record)), { mode: 0o600 });
    context.tell("batch.ticket", { record, file: out });
  },
};

/** The end of one record of a batch. */
export const end: Command = {
  words: "batch end",
  options: { record: { type: "string" } },
  async run(context) {
    const record = recordId.parse(context.need("record"));
    const erasures = await endLeaf(context.gateway(), context.key(), record, leavesOf(context));
    for (const { version, custodian, code } of erasures)
      if (code === undefined) context.say.plain("record.erased", { custodian, version });
      else context.say.plain("record.not_erased", { custodian, version, code });
    const open = erasures.filter(({ code }) => code !== undefined).length;
    context.tell(open === 0 ? "batch.ended" : "batch.not_ended", { record, open });
  },
};
