/**
 * anchorBatch: one Merkle root over many records, each with its own content key and custody. What a leaf says is checked when it is asked for.
 * Source: design.md, "Transactions" (record batch); requirement A4.
 */
import { accept, credentialId, type Infer, schema, toHex } from "@xinglin/primitives";
import { checkKeeper, type KeeperRefusal, RECORD_ROLES } from "../identity/keeper.ts";
import { type Batch, batchCount, batchPacks } from "../model/record.ts";
import { decidedAt, put, type Rule, refuseWith, signedBy } from "../rule.ts";
import { keys } from "../state-keys.ts";

/** A batch by root and count, and the packs that its records lie in. */
export const anchorBatchOperation = schema.object({
  /** RFC 6962 root over the encoded leaves. */
  root: schema.bytes(32),
  count: batchCount,
  /** So that whoever audits and repairs knows of them without a leaf; absent if each record is an object of its own. */
  packs: schema.optional(batchPacks),
  /** The signer's, if it is staff. */
  credential: schema.optional(credentialId),
});
export type AnchorBatch = Infer<typeof anchorBatchOperation>;

/** In the order of the checks. */
export type AnchorBatchRefusal = KeeperRefusal | { code: "id_taken" };

/** By whoever may anchor a single record. Writes `batch/{root}`; the root must be new. */
export const anchorBatch: Rule<AnchorBatch, AnchorBatchRefusal["code"]> = (
  state,
  { root, count, packs, credential },
  { block, caller },
) => {
  const subject = { batch: root };
  const keeper = checkKeeper(state, caller, credential, block.time, { roles: RECORD_ROLES, devices: true });
  if (!keeper.ok) return refuseWith<AnchorBatchRefusal>(keeper.refusal, subject);
  const key = keys.batch(toHex(root));
  if (state.get(key) !== undefined) return refuseWith<AnchorBatchRefusal>({ code: "id_taken" }, subject);
  const batch: Batch = {
    source: caller.actor.member,
    count,
    ...(packs === undefined ? {} : { packs }),
    by: signedBy(caller),
    at: decidedAt(block),
  };
  return accept({ changes: [put(key, batch)], subject });
};
