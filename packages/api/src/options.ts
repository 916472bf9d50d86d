/** What an API server is made of. Source: design.md, "Packages" (api). */
import type { CustodianService } from "@xinglin/custody";
import type { ReadModel } from "@xinglin/index";
import type { Ledger } from "@xinglin/ledger";
import type { Bytes, MemberId } from "@xinglin/primitives";
import type { ArchiveReport } from "./archive-report.ts";

/** The custodians that this server passes requests on to, by their id. */
export interface CustodianDirectory {
  get(id: string): CustodianService | undefined;
}

/** What is wrong with a FHIR instance; empty `issues` if nothing is. `more` counts what is not listed. */
export interface FhirVerdict {
  readonly issues: readonly {
    readonly element: string;
    readonly code: string;
    readonly facts: Readonly<Record<string, string | number>>;
  }[];
  readonly more: number;
}

/** Bounds that a deployment may set. */
export interface ApiLimits {
  /** Requests of one client address a second, averaged; `burst` at once. */
  readonly requestsPerSecond: number;
  readonly burst: number;
  /** Connections at a time. */
  readonly connections: number;
  /** Live streams at a time, and of one actor. */
  readonly streams: number;
  readonly streamsPerActor: number;
  /** How long a request may take to arrive. */
  readonly requestTimeoutMs: number;
  /** How long `wait` may wait. */
  readonly waitMs: number;
  /** Time between heartbeats of a stream. */
  readonly heartbeatMs: number;
  /** Searches of one actor a second, averaged; `searchBurst` at once. */
  readonly searchesPerSecond: number;
  readonly searchBurst: number;
}
export const DEFAULT_LIMITS: ApiLimits = {
  requestsPerSecond: 500,
  burst: 2_000,
  connections: 1_024,
  streams: 256,
  streamsPerActor: 8,
  requestTimeoutMs: 60_000,
  waitMs: 15_000,
  heartbeatMs: 15_000,
  searchesPerSecond: 5,
  searchBurst: 100,
};

/** One line of the log of a server: ids and codes only. */
export interface LogLine {
  readonly time: string;
  readonly event: "request" | "failure" | "projection";
  /** Of the request, as in its `x-request-id` header. */
  readonly request?: string;
  readonly method?: string;
  /** The route's pattern, never the path. */
  readonly route?: string;
  readonly status?: number;
  readonly durationMs?: number;
  readonly actor?: string;
  readonly code?: string;
  /** Frames of a bug's stack, without its message. */
  readonly at?: readonly string[];
}

/** How a node is, for the one who runs it and for peers that probe it. */
export interface NodeFacts {
  readonly driver: string;
  /** Ids of the nodes that it is connected to; missing where it has no peers by its kind. */
  readonly peers?: readonly string[];
  readonly freeMegabytes: number;
  /** By how much its machine's clock is ahead of the chain's, negative if behind; missing until that is known, and where the clock is the chain's. */
  readonly clockOffsetSeconds?: number;
  /** Height of the newest snapshot for members that join. */
  readonly snapshot?: number;
  /** What its last round over the archive left: counts, no names. Missing before the first, and where it makes none. */
  readonly archive?: Pick<ArchiveReport, "until" | "objects" | "waiting" | "endangered" | "unreadable" | "lost"> & {
    readonly storesAway: number;
  };
}

/** What an API serves, where it listens, and its limits. */
export interface ApiOptions {
  readonly ledger: Ledger;
  readonly index: ReadModel;
  readonly custodians?: CustodianDirectory;
  readonly validateFhir?: (json: Bytes) => Promise<FhirVerdict>;
  /** Folder of the built portal, served at `/`. */
  readonly portalDirectory?: string;
  /** Where to listen. Another host than this machine needs `tls`. */
  readonly host: string;
  readonly port: number;
  readonly tls?: { readonly key: string | Bytes; readonly cert: string | Bytes };
  /** Further values of the Host header that are this server, for example `records.hospital.example`. */
  readonly hostNames?: readonly string[];
  /**
   * Addresses of other members' APIs, for example `https://records.second-hospital.example`: pages and light clients compare what this node
   * says of the chain with what they say.
   */
  readonly peers?: readonly string[];
  /** Whose records searches find here (without it, all members' that were described here), and where the other members' nodes are asked. */
  readonly search?: {
    readonly member?: MemberId;
    readonly nodes?: readonly { readonly member: MemberId; readonly url: string }[];
  };
  /** Asked for `/v1/node`. */
  readonly node?: () => Promise<NodeFacts>;
  /** Asked for `/v1/node/statement`: what the node says of itself, signed together with the asker's 32 random bytes. */
  readonly nodeStatement?: (nonce: Bytes) => Promise<Bytes>;
  /** Asked for `/v1/archive/health`: what the node's last round found, undefined before it. */
  readonly archiveReport?: () => ArchiveReport | undefined;
  /** Milliseconds since 1970. */
  readonly clock?: () => number;
  readonly limits?: Partial<ApiLimits>;
  readonly log?: (line: LogLine) => void;
  /** Version of the program, for `/v1/status`. */
  readonly version?: string;
}
