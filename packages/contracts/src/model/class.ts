/**
 * Class = level × category, and what the governed matrix demands before a class may be read.
 * Source: requirement C4; design.md, "Words".
 */
import { type Infer, schema } from "@xinglin/primitives";

/** From open to most protected; none includes another. */
export const LEVELS = ["public", "internal", "sensitive", "core"] as const;
export type Level = (typeof LEVELS)[number];

/** In the order of design.md: identity, encounters, … cost and statistics. */
export const CATEGORIES = [
  "identity",
  "encounters",
  "diagnoses",
  "medication",
  "laboratory",
  "imaging",
  "procedures",
  "vitals",
  "genome",
  "protected",
  "cost",
] as const;
export type Category = (typeof CATEGORIES)[number];

/** Schemas of a class and its two parts: how sensitive a record is, and what it is about. */
export const level = schema.oneOf(...LEVELS);
/** One of the eleven categories. */
export const category = schema.oneOf(...CATEGORIES);
/** A cell of the class matrix. */
export const recordClass = schema.object({ level, category });
export type RecordClass = Infer<typeof recordClass>;

/**
 * What a cell of the matrix demands: nothing; an approval of the holding institution; a directive of the patient; or a directive
 * together with an ethics approval that names the protocol and the one purpose.
 */
export const BASES = ["free", "review", "consent", "ethics"] as const;
export type Basis = (typeof BASES)[number];
/** State at `matrix/{category}/{level}`: what the class demands. */
export const classRule = schema.object({ basis: schema.oneOf(...BASES) });
export type ClassRule = Infer<typeof classRule>;
