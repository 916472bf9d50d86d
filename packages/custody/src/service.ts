/** A custodian as its callers see it, in process or elsewhere. */
import type { Bytes } from "@xinglin/primitives";

export interface CustodianService {
  /** Takes an encoded `depositRequest`, answers an encoded `depositAnswer`. */
  deposit(request: Bytes): Promise<Bytes>;
  /** Takes an encoded `bulkDepositRequest`, answers an encoded `depositAnswer`. */
  depositMany(request: Bytes): Promise<Bytes>;
  /** Takes an encoded `releaseRequest`, answers an encoded `releaseAnswer`. */
  release(request: Bytes): Promise<Bytes>;
  /** Takes an encoded `erasureRequest`, answers an encoded `erasureAnswer`. */
  erase(request: Bytes): Promise<Bytes>;
}
