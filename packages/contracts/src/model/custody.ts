/**
 * What custodians sign that they did: released a share for a permit, or erased it.
 * Source: requirements C3, C8, D8; design.md, "Consent, access, custody".
 */
import { type Infer, schema } from "@xinglin/primitives";
import { epoch, MAX_CUSTODIANS, recordedAt, recordedBy } from "./record.ts";

/** Position of a share, and of its custodian, in the custody's list of custodians; from 0. */
export const shareIndex = schema.uint(MAX_CUSTODIANS - 1);

/** State at `release/{patient}/{number}/{custodian}`. */
export const release = schema.object({ index: shareIndex, by: recordedBy, at: recordedAt });
export type Release = Infer<typeof release>;

/** State at `erasure/{record}/{version}/{custodian}`. `epoch` is the custody's when the share was erased. */
export const erasure = schema.object({ index: shareIndex, epoch: epoch, by: recordedBy, at: recordedAt });
export type Erasure = Infer<typeof erasure>;
