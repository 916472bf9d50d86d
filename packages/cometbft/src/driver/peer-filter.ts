/**
 * Which nodes may connect: those that members name on the chain, and those that this node's operator names. CometBFT asks for every connection, inbound and
 * outbound, once when it comes (by address) and again when the other has proven its key (by id). Whoever is not let in is dropped before anything of it is
 * read: no transaction, no vote. What can't be answered is a no.
 * Source: CometBFT v0.40 `node/setup.go` (createCometTransport), `p2p/switch.go` (filterPeer); docs/internals/cometbft.md, "Who may connect".
 */
import { getMember, getMemberOfNode, type StateReader } from "@xinglin/contracts";
import { Fault, type MemberId, Recent } from "@xinglin/primitives";
import type { NodeOptions } from "./node-options.ts";

const ADDRESS = "/p2p/filter/addr/";
const ID = "/p2p/filter/id/";
const NODE_ID = /^[0-9a-f]{40}$/;
/** Strangers that were told of and are not told of again: a flood of them is one line each. */
const REMEMBERED = 256;

export interface PeerFilterOptions {
  /** Ids that the operator names: peers of the configuration, and whoever else it lets in. */
  readonly configured: readonly string[];
  /** The newest state that this node has; of a node that joins it may be old. */
  readonly state: () => StateReader;
  /** A node is not let in. Told once of each. */
  readonly onRefused: (nodeId: string) => void;
}

export class PeerFilter {
  readonly #options: PeerFilterOptions;
  readonly #configured: ReadonlySet<string>;
  readonly #told = new Recent<string, true>(REMEMBERED);

  constructor(options: PeerFilterOptions) {
    this.#options = options;
    this.#configured = new Set(options.configured);
  }

  /** The answer to a query of this path: true lets in. Any other path is a no. */
  answer(path: string): boolean {
    // An address says nothing of who it is: nodes move, and share addresses. The key decides.
    if (path.startsWith(ADDRESS)) return true;
    if (!path.startsWith(ID)) return false;
    const id = path.slice(ID.length);
    if (!NODE_ID.test(id)) return false;
    if (this.#isKnown(id)) return true;
    if (this.#told.get(id) === undefined) {
      this.#told.set(id, true);
      this.#options.onRefused(id);
    }
    return false;
  }

  /**
   * A member's node as long as the committee has not taken the member out, even if the operator still names it. A suspended member's goes on: its
   * validator counts, so its votes must come through.
   */
  #isKnown(id: string): boolean {
    const state = this.#options.state();
    const member = read(() => getMemberOfNode(state, id));
    if (member === undefined) return this.#configured.has(id);
    return read(() => getMember(state, member as MemberId)?.removedAt === undefined) === true;
  }
}

/** The filter of a node with these options. */
export const peerFilterOf = ({ p2p, onNotice }: Pick<NodeOptions, "p2p" | "onNotice">, state: () => StateReader): PeerFilter =>
  new PeerFilter({
    configured: [...p2p.peers.map(({ id }) => id), ...(p2p.admit ?? [])],
    state,
    onRefused: (nodeId) => onNotice?.({ event: "peer_refused", nodeId }),
  });

/** A state that can't be read, because a snapshot is being taken in or the disk is damaged, knows nobody. */
function read<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch (error) {
    if (error instanceof Fault) return undefined;
    throw error;
  }
}
