/** Opens the stores that a member lends, with what each keeps for whom. */
import { join } from "node:path";
import type { Store } from "../store/store.ts";
import { LentStore } from "./lent-store.ts";
import { Loans } from "./loans.ts";
import type { FindAnchor } from "./repair-proof.ts";
import { GuestStages } from "./stages.ts";

/** Of a store with a quota, what one member may fill unless the lender says otherwise: no single guest crowds the others out. */
const MEMBER_SHARE = 0.5;

/** Stores that are lent. */
export interface Lent {
  readonly stores: ReadonlyMap<string, LentStore>;
  readonly stages: GuestStages;
}

/** `folder` holds the logs of loans. A store that is absent is served as such, and its log read once it is back. */
export async function openLent(
  stores: readonly Store[],
  folder: string,
  findAnchor: FindAnchor,
  memberQuotaBytes?: number,
): Promise<Lent> {
  const stages = new GuestStages();
  const lent = new Map<string, LentStore>();
  for (const store of stores) {
    const held = await store.list().catch(() => undefined);
    const loans = await Loans.open(join(folder, `${store.id}.log`), held === undefined ? undefined : new Set(held));
    const { quotaBytes } = store.description;
    const quota =
      memberQuotaBytes ?? (quotaBytes === undefined ? Number.MAX_SAFE_INTEGER : Math.floor(quotaBytes * MEMBER_SHARE));
    lent.set(store.id, new LentStore({ store, loans, stages, findAnchor, memberQuotaBytes: quota }));
  }
  return { stores: lent, stages };
}
