/** Shapes of JSON answers and of parameters, for checking and for the OpenAPI document. Source: JSON Schema 2020-12; OpenAPI 3.1. */
import { DEFAULT_PAGE_ROWS, MAX_PAGE_ROWS } from "@xinglin/index";
import { Type } from "typebox";
import { CBOR, type PROTOBUF } from "../route.ts";

export const hex = (digits: number) => Type.String({ pattern: `^[0-9a-f]{${digits}}$` });
export const actor = Type.String({
  pattern: "^([0-9a-f]{32}|[a-z][a-z0-9-]{0,31})$",
  description: "A pseudonym, or the id of a member or custodian.",
});
export const integer = (minimum = 0, maximum: number = Number.MAX_SAFE_INTEGER) => Type.Integer({ minimum, maximum });
export const sequence = integer();
const facts = Type.Record(Type.String(), Type.Union([Type.String(), Type.Number()]));
const seconds = Type.Integer({ description: "Seconds since 1970-01-01T00:00:00Z, of the block." });

/** Query of every list. */
export const pageQuery = {
  before: Type.Optional(
    Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER, description: "`next` of the page before." }),
  ),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: MAX_PAGE_ROWS, default: DEFAULT_PAGE_ROWS })),
};
const pageOf = <T extends Parameters<typeof Type.Array>[0]>(row: T) =>
  Type.Object({
    items: Type.Array(row),
    next: Type.Optional(Type.Integer({ description: "`before` of the next page; absent on the last." })),
  });

const reason = Type.Unknown({ description: "Tree of reasons: { code, holds, facts, because: […] }." });
const signedBy = Type.Object({ actor, key: hex(16), member: Type.String(), device: Type.Optional(actor) });
const level = Type.Object({ level: Type.String(), category: Type.String() });
const change = { sequence, height: integer(), time: seconds, change: Type.String() };

export const entry = Type.Object({
  sequence,
  height: integer(),
  time: seconds,
  hash: hex(64),
  transaction: hex(64),
  position: integer(),
  operation: Type.String(),
  by: signedBy,
  outcome: Type.Enum(["accepted", "refused"]),
  code: Type.Optional(Type.String()),
  facts: Type.Optional(facts),
  subject: facts,
  reason: Type.Optional(reason),
});
export const entries = pageOf(entry);

export const accesses = pageOf(
  Type.Object({
    sequence,
    height: integer(),
    time: seconds,
    transaction: hex(64),
    patient: actor,
    outcome: Type.Enum(["accepted", "refused"]),
    code: Type.Optional(Type.String()),
    facts: Type.Optional(facts),
    permit: Type.Optional(integer(1)),
    directive: Type.Optional(integer(1)),
    purpose: Type.String(),
    class: level,
    target: Type.Object({
      kind: Type.Enum(["record", "batch"]),
      record: Type.Optional(hex(32)),
      version: Type.Optional(integer(1)),
      batch: Type.Optional(hex(64)),
    }),
    by: Type.Object({ ...signedBy.properties, role: Type.Optional(Type.String()), department: Type.Optional(Type.String()) }),
    credential: Type.Optional(hex(32)),
    approval: Type.Optional(hex(32)),
    reason: Type.Optional(reason),
    releases: Type.Array(Type.Object({ custodian: actor, sequence, time: seconds })),
  }),
);

const terms = Type.Unknown({
  description: "Terms of the directive: effect, grantees, purposes, categories, levels, recordPeriod?, notBefore, notAfter.",
});
const directive = {
  sequence,
  height: integer(),
  number: integer(1),
  version: integer(1),
  terms,
  grantedAt: seconds,
  revokedAt: Type.Optional(seconds),
  history: Type.Array(Type.Object(change)),
};
export const consents = pageOf(Type.Object({ ...directive, reads: integer() }));
export const grants = pageOf(
  Type.Object({
    ...directive,
    patient: actor,
    pointers: Type.Array(Type.Object({ member: Type.String(), sealed: Type.String({ description: "base64url" }) })),
  }),
);

export const record = Type.Object({
  sequence,
  height: integer(),
  record: hex(32),
  version: integer(1),
  status: Type.Enum(["current", "withdrawn", "ending"]),
  patient: actor,
  source: Type.String(),
  class: level,
  format: Type.String(),
  object: Type.Object({
    id: hex(32),
    manifest: hex(64),
    root: hex(64),
    sizeClass: integer(),
    code: Type.Object({ k: integer(), m: integer() }),
    profile: Type.Optional(Type.Enum(["national"])),
    slice: Type.Optional(Type.Object({ at: integer(), length: integer() })),
  }),
  custody: Type.Object({ epoch: integer(), threshold: integer(), custodians: Type.Array(actor), commitments: hex(64) }),
  anchoredAt: seconds,
  history: Type.Array(
    Type.Object({ ...change, version: integer(1), by: Type.Object({ actor, key: hex(16), device: Type.Optional(actor) }) }),
  ),
});
export const records = pageOf(record);
export const objects = pageOf(
  Type.Object({
    sequence,
    record: Type.Optional(hex(32)),
    batch: Type.Optional(hex(64)),
    status: Type.Optional(Type.Enum(["kept", "dropped"], { description: "Of one that several versions rely on." })),
    source: Type.String(),
    time: seconds,
    readAt: Type.Optional(
      Type.Integer({
        description: "When its record was last read with a permit, in seconds since 1970. Not told of packs of batches.",
      }),
    ),
    object: record.properties.object,
  }),
);
export const verification = Type.Object({
  entries: integer(),
  rows: integer(),
  findings: Type.Array(
    Type.Object({
      table: Type.String(),
      key: Type.String(),
      kind: Type.Enum(["changed", "missing", "extra"]),
      columns: Type.Optional(Type.Array(Type.String())),
    }),
  ),
  unlisted: integer(),
});

export const receipt = Type.Object({
  id: hex(64),
  height: integer(),
  time: seconds,
  results: Type.Array(
    Type.Object({
      operation: Type.String(),
      outcome: Type.Enum(["accepted", "refused"]),
      code: Type.Optional(Type.String()),
      facts: Type.Optional(facts),
      reason: Type.Optional(reason),
      subject: facts,
      sequence,
    }),
  ),
});

export const status = Type.Object({
  chainId: Type.String(),
  height: integer(),
  provableHeight: integer(),
  newestBlockTime: seconds,
  members: integer(),
  version: Type.String(),
  entries: Type.Integer({ description: "Entries of the audit log." }),
  projected: Type.Integer({ description: "Entries that the read model has taken in." }),
});
const names = Type.Object({ zh: Type.String(), en: Type.String() });
export const members = Type.Array(
  Type.Object({
    id: Type.String(),
    kind: Type.String(),
    name: names,
    status: Type.String(),
    hpke: Type.String({ description: "X-Wing public key, base64url." }),
  }),
);
export const custodians = Type.Array(
  Type.Object({
    id: actor,
    member: Type.String(),
    status: Type.String(),
    hpke: Type.String({ description: "X-Wing public key, base64url." }),
    served: Type.Boolean({ description: "Whether this server passes requests on to it." }),
  }),
);
export const classMatrix = Type.Array(
  Type.Object({ category: Type.String(), level: Type.String(), basis: Type.Enum(["free", "review", "consent", "ethics"]) }),
);
export const operationOutcome = Type.Object({
  resourceType: Type.Enum(["OperationOutcome"]),
  issue: Type.Array(
    Type.Object({
      severity: Type.Enum(["error", "information"]),
      code: Type.String(),
      details: Type.Optional(Type.Object({ coding: Type.Array(Type.Object({ system: Type.String(), code: Type.String() })) })),
      expression: Type.Optional(Type.Array(Type.String())),
      facts: Type.Optional(facts),
    }),
  ),
});

const problem = Type.Object({
  type: Type.String(),
  title: Type.String(),
  status: Type.Integer(),
  detail: Type.String(),
  code: Type.String(),
  facts,
  retry: Type.Boolean(),
});

/** Answers of a route: its own, and the problem that every route may answer. */
export const answers = (own: Readonly<Record<number, unknown>>): Record<string, unknown> => ({
  ...own,
  "4xx": { description: "Refused; `code` says why.", content: { "application/problem+json": { schema: problem } } },
  "5xx": {
    description: "Failed; `retry` says whether the same request may succeed later.",
    content: { "application/problem+json": { schema: problem } },
  },
});
/** An answer or a body that is bytes. */
export const bytes = (description: string, type: typeof CBOR | typeof PROTOBUF = CBOR) => ({
  description,
  content: { [type]: { schema: Type.Unsafe<unknown>({ description: `${type} bytes` }) } },
});
export const json = (description: string, schema: object) => ({ description, content: { "application/json": { schema } } });
