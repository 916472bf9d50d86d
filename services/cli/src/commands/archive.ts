/** `xinglin archive health|repair`: how the archive is, and mending what lacks pieces. Source: requirements D2, D3; docs/guides/lend-storage.md. */
import { archiveHealth, repairQueue } from "@xinglin/gateway";
import { Fault } from "@xinglin/primitives";
import type { Command } from "../command.ts";

export const health: Command = {
  words: "archive health",
  options: { sample: { type: "string" } },
  async run(context) {
    const { say } = context;
    const found = await archiveHealth(context.gateway(), context.key(), Math.max(1, context.number("sample", 4)));
    if (context.json) return context.print({ ...found, byMissing: Object.fromEntries(found.byMissing) });
    say.plain("archive.objects", { objects: found.objects, overhead: found.overhead.toFixed(2) });
    for (const [missing, objects] of [...found.byMissing].sort(([a], [b]) => a - b))
      say.plain("archive.missing", { missing, objects });
    for (const { object, missing, spare } of found.queue)
      say.plain(spare < 0 ? "archive.unreadable" : "archive.waiting", { object, missing, spare });
    say.plain("archive.forecast", { probability: found.yearlyLoss.toExponential(1) });
  },
};

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
    const { repaired, pieces, left, waiting } = await repairQueue(gateway, by, queue, {
      spare,
      share: percent / 100,
      relocate: context.flag("relocate"),
      onObject: ({ object }, written) => context.say.plain("audit.repaired", { object, pieces: written }),
    });
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
