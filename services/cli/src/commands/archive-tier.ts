/** `xinglin archive tier`: what is cold goes to the member's cheaper stores, and comes back when it is read again. Source: requirement D6; docs/internals/durability.md, "Tiers". */
import { DEFAULT_TIERS } from "@xinglin/archive";
import {
  type ArchiveView,
  archiveView,
  bytesText,
  moveTiers,
  planTiers,
  progressBar,
  storesToTier,
  type TierOutcome,
  type TierPlan,
  type TierWork,
} from "@xinglin/gateway";
import { readTierPolicy } from "@xinglin/member";
import type { Command, Context } from "../command.ts";
import { bytesOf } from "./store-options.ts";

const FEN = 100;

export const tier: Command = {
  words: "archive tier",
  options: { policy: { type: "string" }, budget: { type: "string" }, apply: { type: "boolean" } },
  async run(context) {
    const { text } = context;
    const by = context.key();
    const policy = text("policy") === undefined ? DEFAULT_TIERS : readTierPolicy(context.need("policy"));
    const budgetBytes = text("budget") === undefined ? Number.POSITIVE_INFINITY : bytesOf("budget", context.need("budget"));
    const gateway = context.gateway();
    const own = await storesToTier(gateway.client, by.member, gateway.file.stores);
    const view = await archiveView(gateway, by);
    const plan = await planTiers(view, own, policy, { now: Math.floor(Date.now() / 1000), budgetBytes });
    const isApplied = context.flag("apply");
    const outcome = isApplied ? await applied(context, view, plan) : undefined;
    if (context.json) return context.print(asJson(plan, outcome));
    tell(context, plan, outcome);
  },
};

async function applied(context: Context, view: ArchiveView, plan: TierPlan): Promise<TierOutcome> {
  const bar = progressBar(context.say.text("archive.tier_moving"));
  try {
    return await moveTiers(view, plan, (done) => bar.update(done, plan.work.length));
  } finally {
    bar.end();
  }
}

/** The moves between the same two tiers, added up. */
function sums(work: readonly TierWork[]): readonly { from: string; to: string; objects: number; bytes: number; yuan: number }[] {
  const found = new Map<string, { from: string; to: string; objects: number; bytes: number; yuan: number }>();
  for (const { object, to, bytes, yuanPerMonth } of work) {
    const key = `${object.tier} ${to.name}`;
    const sum = found.get(key) ?? { from: object.tier, to: to.name, objects: 0, bytes: 0, yuan: 0 };
    found.set(key, { ...sum, objects: sum.objects + 1, bytes: sum.bytes + bytes, yuan: sum.yuan + yuanPerMonth });
  }
  return [...found.values()];
}

function tell({ say }: Context, { work, objects, noPlace, away }: TierPlan, outcome: TierOutcome | undefined): void {
  for (const store of away) say.plain("archive.store_away", { store });
  say.plain("archive.tier_objects", { objects, due: work.length });
  for (const { from, to, bytes, yuan, ...sum } of sums(work))
    say.plain(yuan < 0 ? "archive.tier_dearer" : "archive.tier_saved", {
      ...{ from, to, objects: sum.objects, bytes: bytesText(bytes) },
      yuan: (Math.round(Math.abs(yuan) * FEN) / FEN).toFixed(2),
    });
  if (noPlace > 0) say.plain("archive.tier_no_place", { objects: noPlace });
  if (outcome === undefined) {
    if (work.length > 0) say.plain("archive.tier_dry");
    return;
  }
  const left = [...outcome.left.values()].reduce((sum, count) => sum + count, 0);
  say.plain("archive.tier_moved", { objects: outcome.objects, packs: outcome.packs });
  if (left > 0) say.plain("archive.tier_left", { packs: left, codes: [...outcome.left.keys()].join(", ") });
}

const asJson = ({ work, objects, noPlace, away }: TierPlan, outcome: TierOutcome | undefined): unknown => ({
  objects,
  due: work.map(({ object, to, bytes, yuanPerMonth, packs }) => ({
    ...{ object: object.id, from: object.tier, to: to.name, bytes, yuanPerMonth },
    stores: packs.map(({ id }) => id),
  })),
  noPlace,
  away,
  ...(outcome === undefined ? {} : { moved: { ...outcome, left: Object.fromEntries(outcome.left) } }),
});
