/** What the routes work with. Source: design.md, "Packages" (api). */
import type { StateReader } from "@xinglin/contracts";
import type { ReadModel } from "@xinglin/index";
import type { Ledger } from "@xinglin/ledger";
import type { FastifyRequest } from "fastify";
import type { Visibility } from "./access/visibility.ts";
import type { ApiLimits, ApiOptions } from "./options.ts";
import type { Projection } from "./projection.ts";
import type { Caller, Sessions } from "./session/sessions.ts";

export interface ApiContext {
  readonly options: ApiOptions;
  readonly limits: ApiLimits;
  readonly ledger: Ledger;
  readonly state: StateReader;
  readonly index: ReadModel;
  readonly projection: Projection;
  readonly sessions: Sessions;
  readonly visibility: Visibility;
  /** Seconds of the newest block. */
  readonly blockTime: () => number;
  /** Milliseconds of the server's own clock. */
  readonly now: () => number;
  /** The caller of a route that needs a session. */
  readonly callerOf: (request: FastifyRequest) => Caller;
}
