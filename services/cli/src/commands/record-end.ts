/** `xinglin record end` and `xinglin record certificate`: the end of a record's term, and the proof of it. Source: requirements C8, D8. */
import { mkdirSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import type { ObjectDestruction } from "@xinglin/archive";
import { type CertifiedVersion, MAX_CERTIFICATE_BYTES, verifyDestruction } from "@xinglin/client";
import { nodeCurves } from "@xinglin/crypto/node";
import { writeFileDurably } from "@xinglin/custody";
import { destroyRecord, endRecord, type RecordDestruction, shanghaiTime, unreached } from "@xinglin/gateway";
import { Fault, recordId, toHex } from "@xinglin/primitives";
import type { Command, Context } from "../command.ts";
import { readBounded, trustOf } from "./evidence.ts";

/** Closes the record, has shares and pieces destroyed, and writes the certificate. May be called again for what was not reached. */
export const end: Command = {
  words: "record end",
  options: { record: { type: "string" }, device: { type: "string" }, certificate: { type: "string" } },
  async run(context) {
    const by = context.key();
    const record = recordId.parse(context.need("record"));
    const gateway = context.gateway();
    const height = await endRecord(gateway, by, record, context.text("device") === undefined ? undefined : context.key("device"));
    if (height !== undefined && !context.json) context.tell("record.ending", { record, height });
    const done = await destroyRecord(gateway, by, record);
    const path = resolve(
      context.text("certificate") ?? join(context.data, "members", by.member, "certificates", `${record}.cbor`),
    );
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    writeFileDurably(path, done.certificate);
    const left = unreached(done);
    const { erasures, versions, pixels } = done;
    if (context.json) return context.print({ record, erasures, versions, pixels, certificate: path });
    tellErasures(context, done);
    for (const { object, store, code } of left) context.say.plain("record.not_dropped", { object, store, code });
    if (left.length > 0) context.say.plain("record.end_again");
    context.say.plain("record.certificate", { path });
  },
};

function tellErasures({ say }: Context, { erasures, versions, pixels }: RecordDestruction): void {
  for (const { custodian, version, code } of erasures)
    say.plain(code === undefined ? "record.erased" : "record.not_erased", { custodian, version, code: code ?? "" });
  for (const { version, objectId, destruction } of versions) {
    const object = toHex(objectId);
    if (destruction === undefined) {
      say.plain("record.in_pack", { version, object });
      continue;
    }
    say.plain("record.dropped", { version, object, stores: dropped(destruction) });
    say.plain("record.probed", { version, ...destruction.probe });
  }
  for (const { objectId, destruction, held } of pixels) {
    const object = toHex(objectId);
    if (destruction === undefined) say.plain(held ? "record.pixels_held" : "record.pixels_stay", { object });
    else say.plain("record.pixels_dropped", { object, stores: dropped(destruction), ...destruction.probe });
  }
}

const dropped = ({ stores }: ObjectDestruction): number => stores.filter(({ outcome }) => outcome === "dropped").length;

/** Offline, as `xinglin evidence verify`: needs the file and either the genesis or a checkpoint that the caller got elsewhere. */
export const certificate: Command = {
  words: "record certificate",
  options: { genesis: { type: "string" }, checkpoint: { type: "string" } },
  positionals: ["FILE"],
  async run(context) {
    const [path] = context.positionals;
    if (path === undefined) throw new Fault("option_missing", { option: "FILE" });
    const verdict = await verifyDestruction(readBounded(path, MAX_CERTIFICATE_BYTES), trustOf(context), { curves: nodeCurves });
    if (context.json) context.print(verdict);
    if (!verdict.ok) throw new Fault("certificate_wrong", { reason: verdict.code });
    if (context.json) return;
    const { say } = context;
    const { chainId, record, source, by, at } = verdict;
    say.plain("certificate.holds", { chain: chainId, record, source });
    for (const version of verdict.versions) say.plain(keySentence(version), keyFacts(version));
    say.plain("certificate.signed", { by, source, at: shanghaiTime(at) });
    for (const { version, stores, undecodable } of verdict.versions) {
      const facts = { version, ...countsOf(stores) };
      if (stores.length === 0) say.plain("certificate.in_pack", facts);
      else say.plain(undecodable ? "certificate.undecodable" : "certificate.decodable", facts);
      tellAway(context, stores);
    }
    for (const { object, stores, undecodable } of verdict.pixels) {
      const sentence = undecodable ? "certificate.pixels_undecodable" : "certificate.pixels_decodable";
      say.plain(sentence, { object: toHex(object), ...countsOf(stores) });
      tellAway(context, stores);
    }
    if (verdict.pixelsStay > 0) say.plain("certificate.pixels_stay", { count: verdict.pixelsStay, source });
    say.plain("evidence.assumes");
    for (const { code, facts } of verdict.assumes) say.plain(`evidence.assume_${code}`, facts);
    say.plain("certificate.assume_stores");
  },
};

const countsOf = (stores: CertifiedVersion["stores"]): { dropped: number; none: number; away: number } => {
  const count = (wanted: string): number => stores.filter(({ outcome }) => outcome === wanted).length;
  return { dropped: count("dropped"), none: count("held_nothing"), away: count("not_reached") };
};

function tellAway({ say }: Context, stores: CertifiedVersion["stores"]): void {
  for (const { store, member, outcome, code = "" } of stores)
    if (outcome === "not_reached") say.plain("certificate.away", { store, member, code });
}

const keySentence = ({ keyGone }: CertifiedVersion): string => (keyGone ? "certificate.key_gone" : "certificate.key_left");

const keyFacts = ({ version, erased, custodians, threshold }: CertifiedVersion): Record<string, number> => ({
  version,
  erased: erased.length,
  custodians,
  threshold,
  height: Math.max(0, ...erased.map(({ height }) => height)),
});
