/** Errors of a store's disk as faults that name the store and no path. */
import { Fault } from "@xinglin/primitives";

/** The fault for an error of reading a store: `store_absent` or `store_unreadable`. */
export function readFault(store: string, cause: unknown): Fault {
  const errno = errnoOf(cause);
  if (errno === "ENOENT" || errno === "ENOTDIR") return new Fault("store_absent", { store }, { retry: true });
  return new Fault("store_unreadable", { store, errno }, { retry: true });
}

/** The fault for an error of writing to a store: `disk_full`, `store_absent` or `store_unwritable`. */
export function writeFault(store: string, cause: unknown): Fault {
  if (cause instanceof Fault) return cause;
  const errno = errnoOf(cause);
  if (errno === "ENOSPC" || errno === "EDQUOT") return new Fault("disk_full", { store });
  if (errno === "ENOENT" || errno === "ENOTDIR") return new Fault("store_absent", { store }, { retry: true });
  return new Fault("store_unwritable", { store, errno });
}

/** The name of a system error; facts carry it in place of the message, which has a path in it. */
export const errnoOf = (cause: unknown): string => (cause as NodeJS.ErrnoException).code ?? "unknown";
