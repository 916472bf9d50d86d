/**
 * What an institution signs about the end of a record, and the certificate that carries it.
 * Source: requirement D8; docs/internals/archive.md, "The end of an object".
 */
import { keyIdSchema, SUITES, version } from "@xinglin/contracts";
import { actorId, type Infer, recordId, schema, unixSeconds } from "@xinglin/primitives";
import { MAX_EVIDENCE_BYTES } from "@xinglin/verifier";

const MAX_STORES = 4_096;
const MAX_PIXELS = 65_535;
/** Largest statement. */
export const MAX_STATEMENT_BYTES = 4_194_304;
const MAX_SIGNATURE_BYTES = 8_192;
/** Largest certificate that is read. */
export const MAX_CERTIFICATE_BYTES = MAX_EVIDENCE_BYTES;

const storeOutcome = schema.object({
  store: schema.text(64),
  member: schema.text(64),
  /** `not_reached`: its pieces may be there still; `code` says why. */
  outcome: schema.oneOf("dropped", "held_nothing", "not_reached"),
  code: schema.optional(schema.text(64)),
});

const decodeProbe = schema.object({
  packs: schema.uint(MAX_STORES),
  unseen: schema.uint(MAX_STORES),
  needed: schema.uint(128, 1),
});

const destroyedVersion = schema.object({
  version,
  /** Id of the archive object. */
  object: schema.bytes(16),
  /** Empty for a record inside a pack that others still need: its key alone is gone. */
  stores: schema.list(storeOutcome, MAX_STORES),
  /** A look at all stores afterwards: packs shown, stores that could not be asked, packs that decode. Absent as above. */
  probe: schema.optional(decodeProbe),
});
/** What became of the pieces of one version. */
export type DestroyedVersion = Infer<typeof destroyedVersion>;

const destroyedPixels = schema.object({
  /** Id of the object that kept pixels for several versions. */
  object: schema.bytes(16),
  stores: schema.list(storeOutcome, MAX_STORES),
  probe: decodeProbe,
});
/** What became of the pieces of pixels that no version relies on any more. */
export type DestroyedPixels = Infer<typeof destroyedPixels>;

/** The shape of a statement. */
export const destructionStatement = schema.object({
  type: schema.oneOf("xinglin-destruction/1"),
  chain: schema.text(50),
  record: recordId,
  /** Newest first. */
  versions: schema.list(destroyedVersion, 65_535, 1),
  /** Pixels that went with the last version that relied on them. */
  pixels: schema.optional(schema.list(destroyedPixels, MAX_PIXELS, 1)),
  /** Objects with pixels that stay, since other versions of the institution's rely on them or may. */
  pixelsStay: schema.optional(schema.uint(MAX_PIXELS, 1)),
  by: schema.object({ actor: actorId, key: keyIdSchema, suite: schema.oneOf(...SUITES) }),
  at: unixSeconds,
});
/** What the institution signs. */
export type DestructionStatement = Infer<typeof destructionStatement>;

/** The shape of a certificate. */
export const destructionCertificate = schema.object({
  statement: schema.bytes(1, MAX_STATEMENT_BYTES),
  signature: schema.bytes(1, MAX_SIGNATURE_BYTES),
  evidence: schema.bytes(1, MAX_EVIDENCE_BYTES),
});
