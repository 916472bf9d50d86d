/** What can go wrong between a store and its IPFS node, as faults that name the store and no address. */
import { Fault } from "@xinglin/primitives";

/** A "no" of the node's RPC, in its own words: how Kubo says that a block or pin is not there, too. */
export class IpfsRefusal extends Error {
  override readonly name = "IpfsRefusal";

  get isNotPinned(): boolean {
    return / is not pinned|not pinned or pinned indirectly/.test(this.message);
  }
  get isNotFound(): boolean {
    return /could not find|not found locally|merkledag: not found/.test(this.message);
  }
  get isFull(): boolean {
    return /no space left on device|disk quota exceeded|not enough space on the disk/i.test(this.message);
  }
}

const ABSENT = new Set([
  "ECONNREFUSED",
  "ENOENT",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ECONNRESET",
  "EPIPE",
  "ENOTDIR",
]);

/** The fault of a call that did not come to an answer: `store_absent` or `store_unreadable`. */
export function connectionFault(store: string, cause: unknown): Fault {
  if (cause instanceof Fault) return cause;
  const errno = (cause as NodeJS.ErrnoException).code ?? "unknown";
  if (ABSENT.has(errno)) return new Fault("store_absent", { store }, { retry: true, cause });
  return new Fault("store_unreadable", { store, errno }, { retry: true, cause });
}

/** The fault of a refusal that nobody expected: `disk_full`, `store_unreadable` or `store_unwritable`. Anything else stays what it is. */
export function refusalFault(store: string, cause: unknown, work: "reading" | "writing"): unknown {
  if (!(cause instanceof IpfsRefusal)) return cause;
  if (cause.isFull) return new Fault("disk_full", { store });
  const code = work === "reading" ? "store_unreadable" : "store_unwritable";
  return new Fault(code, { store, errno: cause.isNotFound ? "block_missing" : "refused" }, { retry: true, cause });
}
