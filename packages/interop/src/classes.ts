/**
 * The class of a record: level × category, as the consortium's matrix and every consent speak of it.
 * Source: design.md, "Words" (the eleven categories in their order, the four levels from open to closed).
 */

/** The four levels, from open to closed. */
export const LEVELS = ["public", "internal", "sensitive", "core"] as const;
export type Level = (typeof LEVELS)[number];

/** The eleven categories. */
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

/** What a consent opens and the class matrix decides about. */
export interface RecordClass {
  readonly level: Level;
  readonly category: Category;
}

/** `level/category`: a stable key for grouping and for fault facts. */
export const classKey = (recordClass: RecordClass): string => `${recordClass.level}/${recordClass.category}`;

/** Whether `a` is more closed than `b`. */
export const isStricter = (a: Level, b: Level): boolean => LEVELS.indexOf(a) > LEVELS.indexOf(b);
