/** `xinglin archive health|repair|statement`: how the archive is, mending what lacks pieces, and checking what an auditor said. Source: requirements D2, D3; docs/guides/archive-and-retrieve.md. */
import type { ArchiveReport } from "@xinglin/api";
import { TrustedChain } from "@xinglin/client";
import { writeFileDurably } from "@xinglin/custody";
import {
  type ArchiveHealth,
  archiveHealth,
  bytesText,
  checkStatements,
  decodeAuditFile,
  proveStatement,
  repairQueue,
  shanghaiTime,
} from "@xinglin/gateway";
import { Fault } from "@xinglin/primitives";
import type { Command, Context } from "../command.ts";
import { readBounded } from "./evidence.ts";

const MAX_STATEMENT_FILE_BYTES = 1 << 30;
const JOULES_A_KWH = 3.6e6;

export const health: Command = {
  words: "archive health",
  options: { now: { type: "boolean" }, sample: { type: "string" } },
  async run(context) {
    const { say } = context;
    const isFresh = context.flag("now") || context.text("sample") !== undefined;
    const report = isFresh ? undefined : await lastReport(context);
    if (report !== undefined) {
      if (context.json) return context.print(report);
      say.plain(report.scope === "all" ? "archive.looked_at_all" : "archive.looked_at", {
        member: report.member,
        time: shanghaiTime(report.until),
      });
      tell(context, {
        ...report,
        byMissing: Object.entries(report.byMissing).map(([missing, count]) => [Number(missing), count]),
      });
      for (const { store, state, lost } of report.stores)
        if (state !== "there" || lost > 0) say.plain(`archive.store_${state}`, { store, lost });
      for (const { store, code, objects } of report.left) say.plain("archive.left", { store, code, objects });
      if (report.repaired.objects > 0) say.plain("archive.mended", report.repaired);
      if (report.round !== undefined) say.plain("archive.recorded", { round: report.round });
      return;
    }
    const found = await archiveHealth(context.gateway(), context.key(), Math.max(1, context.number("sample", 4)));
    if (context.json) return context.print({ ...found, byMissing: Object.fromEntries(found.byMissing) });
    tell(context, found);
  },
};

/** What the node's last round found; nothing from a node that made none, or of another member. */
async function lastReport(context: Context): Promise<ArchiveReport | undefined> {
  try {
    return (await context.gateway().client.getJson("/v1/archive/health", context.key())) as ArchiveReport;
  } catch (error) {
    if (error instanceof Fault && ["archive_not_looked_at", "not_visible"].includes(error.code)) return undefined;
    throw error;
  }
}

type Told = Pick<ArchiveHealth, "objects" | "queue" | "overhead" | "yearlyLoss" | "storedBytes" | "cost"> & {
  readonly byMissing: Iterable<readonly [number, number]>;
};

function tell({ say }: Context, { objects, byMissing, queue, overhead, yearlyLoss, storedBytes, cost }: Told): void {
  say.plain("archive.objects", { objects, overhead: overhead.toFixed(2) });
  for (const [missing, count] of [...byMissing].sort(([a], [b]) => a - b))
    say.plain("archive.missing", { missing, objects: count });
  for (const { object, missing, spare } of queue)
    say.plain(spare < 0 ? "archive.unreadable" : "archive.waiting", { object, missing, spare });
  say.plain("archive.forecast", { probability: yearlyLoss.toExponential(1) });
  const { threeCopies } = cost;
  say.plain("archive.cost", {
    stored: bytesText(storedBytes),
    yuan: cost.yuan.toPrecision(2),
    energy: (cost.joules / JOULES_A_KWH).toPrecision(2),
    copiesYuan: threeCopies.yuan.toPrecision(2),
    copiesEnergy: (threeCopies.joules / JOULES_A_KWH).toPrecision(2),
  });
}

export const repair: Command = {
  words: "archive repair",
  options: { spare: { type: "string" }, share: { type: "string" }, relocate: { type: "boolean" } },
  async run(context) {
    const gateway = context.gateway();
    const by = context.key();
    const percent = context.number("share", 50);
    if (percent < 1 || percent > 100) throw new Fault("option_wrong", { option: "--share", expected: "1..100" });
    const { queue } = await archiveHealth(gateway, by);
    const spare = context.number("spare", 2);
    const { repaired, pieces, left, stores, waiting } = await repairQueue(gateway, by, queue, {
      spare,
      share: percent / 100,
      relocate: context.flag("relocate"),
      onObject: ({ object }, written) => context.say.plain("audit.repaired", { object, pieces: written }),
    });
    if (!context.json)
      for (const [store, { code, objects }] of stores) context.say.plain("archive.left", { store, code, objects });
    const failed = [...left.values()].reduce((sum, count) => sum + count, 0);
    context.tell("archive.repaired", {
      repaired,
      pieces,
      left: failed,
      codes: [...left.keys()].join(", ") || "-",
      waiting,
      spare,
    });
  },
};

export const statement: Command = {
  words: "archive statement",
  options: { object: { type: "string" }, out: { type: "string" } },
  positionals: ["FILE"],
  async run(context) {
    const [path] = context.positionals;
    if (path === undefined) throw new Fault("option_missing", { option: "FILE" });
    const file = decodeAuditFile(Uint8Array.from(readBounded(path, MAX_STATEMENT_FILE_BYTES)));
    const { client, file: consortium } = context.gateway();
    const chain = await TrustedChain.of(client, consortium.chainId);
    const checked = await checkStatements({ client, chain }, context.key(), file);
    const { member, number, round, statements, isDrawBound } = checked;
    const out = context.text("out");
    if (out !== undefined) {
      if ("statement" in file) throw new Fault("option_wrong", { option: "--out", expected: "audits/MEMBER-NUMBER.audit" });
      writeFileDurably(out, proveStatement(file, context.need("object")));
    }
    if (context.json) return context.print(checked);
    const objects = statements.reduce((sum, one) => sum + one.objects.length, 0);
    const sum = (name: "drawn" | "held"): number =>
      statements.reduce((all, one) => one.stores.reduce((pieces, store) => pieces + store[name], all), 0);
    context.say.plain("archive.statement_holds", {
      ...{ member, number, objects, drawn: sum("drawn"), held: sum("held") },
      repairs: statements.reduce((all, one) => all + one.repairs.length, 0),
      time: shanghaiTime(round.at.time),
    });
    context.say.plain(isDrawBound ? "archive.draw_bound" : "archive.draw_free");
    if (out !== undefined) context.say.plain("archive.statement_written", { path: out });
  },
};
