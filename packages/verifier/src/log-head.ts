/**
 * Where the state says how long the audit log is and what its root is: the open epoch at `log`, a closed one at `log/{epoch}`.
 * The ledger writes these values; they are read here without it, so that a verifier needs nothing else.
 * Source: design.md, "Audit log".
 */
import { type Bytes, cbor, Fault, schema } from "@xinglin/primitives";

const MAX_LOG_HEAD_BYTES = 4_096;

const open = schema.object({
  epoch: schema.uint(),
  first: schema.uint(),
  size: schema.uint(),
  root: schema.bytes(32),
  frontier: schema.list(schema.bytes(32), 53),
});
const closed = schema.object({ first: schema.uint(), size: schema.uint(), root: schema.bytes(32) });

/** `first` is the sequence number, over all epochs, of the epoch's first entry. */
export interface LogHead {
  readonly first: number;
  readonly size: number;
  readonly root: Bytes;
}

/** The head of `epoch` under `key`. Throws `Fault("malformed")` for a key or a value that is not that epoch's. */
export function readLogHead(key: string, epoch: number, value: Bytes): LogHead {
  const decoded = cbor.decode(value, MAX_LOG_HEAD_BYTES);
  if (key === `log/${epoch}`) return closed.parse(decoded);
  const head = open.parse(decoded);
  if (key !== "log" || head.epoch !== epoch) throw new Fault("malformed", { element: "/key", expected: `log or log/${epoch}` });
  return head;
}
