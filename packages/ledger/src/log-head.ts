/**
 * What the state says of the audit log: one open epoch with its frontier, and every closed epoch with its root.
 * Source: design.md, "Audit log"; RFC 6962 section 2.1.
 */
import { type Change, keys } from "@xinglin/contracts";
import { nodeSha256 } from "@xinglin/crypto/node";
import { EMPTY_FRONTIER, type Frontier, isFrontier, rootOf } from "@xinglin/crypto/pure";
import { type Bytes, cbor, type Infer, invariant, schema } from "@xinglin/primitives";

const MAX_LEVELS = 53;

/** State at `log`. `first` is the sequence number of the epoch's first entry; `root` is over `size` entries. */
export const logHead = schema.object({
  epoch: schema.uint(),
  first: schema.uint(),
  size: schema.uint(),
  root: schema.bytes(32),
  frontier: schema.list(schema.bytes(32), MAX_LEVELS),
});
export type LogHead = Infer<typeof logHead>;

/** State at `log/{epoch}` of a closed epoch. */
export const closedLog = schema.object({ first: schema.uint(), size: schema.uint(), root: schema.bytes(32) });
export type ClosedLog = Infer<typeof closedLog>;

/** The log before the first entry; the state holds none then. */
export const EMPTY_LOG: LogHead = { epoch: 0, first: 0, size: 0, root: rootOf(EMPTY_FRONTIER), frontier: [] };

/** The heads as the state holds them: of the open epoch, empty where there is none yet, and of a closed one. */
export const decodeLogHead = (bytes: Bytes | undefined): LogHead => {
  if (bytes === undefined) return EMPTY_LOG;
  const head = logHead.parse(cbor.decodeTrusted(bytes));
  invariant(isFrontier(frontierOf(head)), "log: the frontier does not fit the size");
  return head;
};
export const decodeClosedLog = (bytes: Bytes): ClosedLog => closedLog.parse(cbor.decodeTrusted(bytes));

export const frontierOf = (head: LogHead): Frontier => ({ size: head.size, nodes: head.frontier });

/** The open epoch after it grew to `frontier`. */
export const grown = (head: LogHead, frontier: Frontier): LogHead => ({
  ...head,
  size: frontier.size,
  root: rootOf(frontier, nodeSha256),
  frontier: [...frontier.nodes],
});

/** Closes the epoch: its root moves to its own key, and the next epoch begins behind it. */
export function close(head: LogHead): { next: LogHead; change: Change } {
  const { epoch, first, size, root } = head;
  const change: Change = { key: keys.closedLog(epoch), value: cbor.encode({ first, size, root }) };
  return { next: { ...EMPTY_LOG, epoch: epoch + 1, first: first + size }, change };
}
