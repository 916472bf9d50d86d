/**
 * `xinglin audit`: every stored piece (or `--sample` of each object) and every row of the read model against the chain; `--repair` mends the pieces. What was found is recorded
 * on the chain, unless `--no-record`. Source: requirements A2, D3.
 */
import { auditEverything, auditFolder, freshDraw, recordAudits, repairObject, StatementList } from "@xinglin/gateway";
import { Fault, fromHex } from "@xinglin/primitives";
import type { Command, Context } from "../command.ts";

export const audit: Command = {
  words: "audit",
  options: {
    sample: { type: "string" },
    repair: { type: "boolean" },
    rebuild: { type: "boolean" },
    "no-record": { type: "boolean" },
  },
  async run(context) {
    const { say } = context;
    const gateway = context.gateway();
    const by = context.key();
    const sampled = context.text("sample") === undefined ? {} : { sample: context.number("sample", 0) };
    const draw = await freshDraw(gateway);
    const common = { chain: gateway.file.chainId, member: by.member, sample: sampled.sample ?? 0, draw };
    const statements = new StatementList(common);
    const report = await auditEverything(gateway, by, {
      ...sampled,
      draw,
      onLook: (object, look) => statements.looked(object, look),
    });
    if (context.json) context.print(report);
    else {
      for (const { store, object, record, stripe, column, kind } of report.pieces)
        say.plain("audit.piece", { store, object, record, stripe, column, kind });
      for (const { table, row, columns } of report.rows) say.plain("audit.row", { table, row, columns });
      const { objects, piecesChecked: checked, rowsChecked: rows } = report;
      if (rows === undefined) say.plain("audit.summary_pieces", { objects, checked });
      else say.plain("audit.summary", { objects, checked, rows });
      const { lostShare, probability } = report.finds;
      say.plain("audit.finds", { lost: percent(lostShare), found: percent(probability) });
    }
    const findings = report.pieces.length + report.rows.length;
    if (context.flag("repair"))
      for (const object of new Set(report.pieces.map((piece) => piece.object))) {
        const pieces = await repairObject(gateway, by, fromHex(object), (anchored, done) => statements.repaired(anchored, done));
        say.plain("audit.repaired", { object, pieces });
      }
    if (context.flag("rebuild")) {
      await gateway.client.postJson("/v1/read-model/rebuild", by);
      say.plain("audit.rebuilt");
    }
    if (!context.flag("no-record")) await record(context, statements);
    if (findings > 0) throw new Fault("audit_found", { pieces: report.pieces.length, rows: report.rows.length });
    if (!context.json) say.plain(report.rowsChecked === undefined ? "audit.clean_pieces" : "audit.clean");
  },
};

async function record({ say, json, data, ...context }: Context, list: StatementList): Promise<void> {
  const statements = list.end();
  if (statements.length === 0) return;
  const folder = auditFolder(data);
  try {
    const number = await recordAudits(context.gateway(), context.key(), { statements, endangered: 0, folder });
    if (!json) say.plain("audit.recorded", { number, folder });
  } catch (error) {
    // Staff may look, and may not speak for the institution.
    if (!(error instanceof Fault && error.code === "caller_not_allowed")) throw error;
    if (!json) say.plain("audit.not_recorded");
  }
}

/** A share in percent, rounded down: an audit never claims to find more than it does. */
const percent = (share: number): string => String(Math.floor(share * 1e6 + 1e-6) / 1e4);
