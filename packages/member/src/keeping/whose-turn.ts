/**
 * Who repairs an object, found by each node alone: its owner; if that is away, the member that comes first among those that are not, in an order that each object has
 * of its own. Two nodes that see it differently for a while both repair, which writes the same bytes twice.
 * Source: requirement D3 (repair without the owner online); rendezvous hashing, D. Thaler and C. Ravishankar (1998).
 */
import { createHash } from "node:crypto";
import {
  decodeGenesis,
  getAuditHead,
  getElection,
  getLentStore,
  getLentStoreIds,
  getMember,
  type StateReader,
} from "@xinglin/contracts";
import type { Bytes, MemberId } from "@xinglin/primitives";
import type { Pulse } from "./pulse.ts";

/** Which members look after the archive now. */
export interface Shift {
  /** Whether a member's node is taken to look after its own objects. */
  isThere(member: string): boolean;
  /** Those that may step in for others. */
  readonly standIns: readonly string[];
}

/** The members as the chain has them now: an active one is there until it has recorded nothing for `stepInMs`. `self` is always there. */
export function shiftOf(
  chain: StateReader & { readonly genesis: Bytes },
  {
    self,
    pulse,
    stepInMs,
    now,
  }: { readonly self: MemberId; readonly pulse: Pulse; readonly stepInMs: number; readonly now: number },
): Shift {
  const known = new Map<string, boolean>();
  const isThere = (member: string): boolean => {
    if (member === self) return true;
    const before = known.get(member);
    if (before !== undefined) return before;
    const isActive = getMember(chain, member as MemberId)?.status === "active";
    const silentMs = pulse.member(member, getAuditHead(chain, member as MemberId).count, now);
    known.set(member, isActive && silentMs < stepInMs);
    return isActive && silentMs < stepInMs;
  };
  const members = new Set<MemberId>([
    self,
    ...decodeGenesis(chain.genesis).members.map(({ id }) => id),
    ...(getElection(chain)?.candidates ?? []).map(({ member }) => member),
    ...getLentStoreIds(chain).flatMap((id) => getLentStore(chain, id)?.member ?? []),
  ]);
  const standIns = [...members].filter((member) => {
    const isKeeping = member === self || getAuditHead(chain, member).count > 0;
    return isThere(member) && isKeeping;
  });
  return { isThere, standIns };
}

/** Whose turn an object is. */
export function turnOf({ isThere, standIns }: Shift, { id, source }: { readonly id: string; readonly source: string }): string {
  if (isThere(source)) return source;
  const ranked = standIns.map((member) => [createHash("sha256").update(`${id}/${member}`).digest("hex"), member] as const);
  return ranked.toSorted(([a], [b]) => (a < b ? -1 : 1))[0]?.[1] ?? source;
}
