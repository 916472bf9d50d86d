/**
 * An archive object that no single record owns: pixels that an institution keeps once for several versions. Who audits and repairs learns its root
 * here. Which versions rely on it stands nowhere on the chain: it would say of two records that they show the same pictures.
 * Source: requirement D1; docs/decisions/0012-shared-pixels.md.
 */
import { type Infer, memberId, schema } from "@xinglin/primitives";
import { packReference, recordedAt, recordedBy } from "./record.ts";

/** Id of an archive object. */
export const objectId = schema.bytes(16);

/** `kept`: audited and repaired. `dropped`: nothing relies on it any more, and its pieces go. There is no way back. */
export const OBJECT_STATUSES = ["kept", "dropped"] as const;
/** What became of such an object. */
export const objectStatus = schema.oneOf(...OBJECT_STATUSES);

/** State at `object/{member}/{id}`. */
export const keptObject = schema.object({
  source: memberId,
  object: packReference,
  status: objectStatus,
  /** Who kept it, and when. */
  by: recordedBy,
  at: recordedAt,
});
export type KeptObject = Infer<typeof keptObject>;
