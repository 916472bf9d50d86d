/** Tickets as files: what a source hands to whoever may read one record of a batch. Source: design.md, "Transactions" (record batch). */
import { requestTarget } from "@xinglin/contracts";
import { type Bytes, cbor, Fault } from "@xinglin/primitives";
import type { BatchTicket } from "./batch-leaves.ts";

/** A leaf, its salt and its path: four kilobytes at most. */
const MAX_TICKET_BYTES = 16_384;

/** A ticket's bytes. Whoever has them can tell what the leaf says, not what the record holds: that takes a permit. */
export const encodeTicket = (ticket: BatchTicket): Bytes => cbor.encode(ticket);

/** The ticket in `bytes`; `path` is named in the fault. Throws `ticket_unreadable`. */
export function decodeTicket(bytes: Bytes, path: string): BatchTicket {
  try {
    const target = requestTarget.parse(cbor.decode(bytes, MAX_TICKET_BYTES));
    if (target.kind === "batch") return target;
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
  }
  throw new Fault("ticket_unreadable", { path });
}
