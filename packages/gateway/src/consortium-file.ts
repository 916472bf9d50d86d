/**
 * Where a member finds the consortium it belongs to: the API's address, the stores it can reach and the custody threshold.
 * Written by the node at start, read by the command line. Source: design.md, "Engines a member can outgrow one machine with".
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { profileName, storeDescription } from "@xinglin/archive";
import { ApiClient } from "@xinglin/client";
import { writeFileDurably } from "@xinglin/custody";
import { Fault, type Infer, type MemberId, schema } from "@xinglin/primitives";
import { BatchLeaves } from "./batch-leaves.ts";
import { ImportJournal } from "./import-journal.ts";
import type { Gateway } from "./keep-record.ts";
import { sharingIn } from "./sharing.ts";
import { chainStores } from "./stores.ts";

/** A minute: longer than it takes until a validator that is there proposes. */
const RECEIPT_QUESTIONS = 4;
const MAX_STORES = 4096;
const consortiumFile = schema.object({
  type: schema.oneOf("xinglin-consortium/1"),
  chainId: schema.text(50),
  url: schema.text(256, /^https?:\/\//),
  threshold: schema.uint(16, 1),
  stores: schema.list(storeDescription, MAX_STORES),
  /** What this member seals with. */
  profile: schema.optional(profileName),
});
export type ConsortiumFile = Infer<typeof consortiumFile>;

const fileOf = (data: string): string => join(data, "consortium.json");

/** Writes the file so that a crash leaves the old one or the new one. */
export const writeConsortiumFile = (data: string, content: ConsortiumFile): void =>
  writeFileDurably(fileOf(data), Buffer.from(`${JSON.stringify(content, undefined, 2)}\n`));

/** Throws `Fault("data_folder_unreadable")` if there is no consortium in the folder. */
export function readConsortiumFile(data: string): ConsortiumFile {
  try {
    return consortiumFile.parse(JSON.parse(readFileSync(fileOf(data), "utf8")));
  } catch (cause) {
    throw new Fault("data_folder_unreadable", { path: data }, { cause });
  }
}

/** The journal of imports under way in a data folder. */
export const importJournal = (data: string): ImportJournal => new ImportJournal(join(data, "imports"));

/** The leaves of the batches that a member of a data folder imported. */
export const batchLeaves = (data: string, member: MemberId): BatchLeaves =>
  new BatchLeaves(join(data, "members", member, "batches"));

/** A gateway over the consortium of a data folder. */
export function openGateway(data: string, language: "zh-CN" | "en"): Gateway & { readonly file: ConsortiumFile } {
  const file = readConsortiumFile(data);
  const client = new ApiClient({ url: file.url, language, chainId: file.chainId, receiptQuestions: RECEIPT_QUESTIONS });
  return {
    file,
    client,
    stores: chainStores(client, file.chainId, file.stores),
    threshold: file.threshold,
    journal: importJournal(data),
    sharing: sharingIn(data),
    ...(file.profile === undefined ? {} : { profile: file.profile }),
  };
}
