/**
 * The order of the levels of a record class, for deciding which of two classes is the more closed. Only types are imported, so that the
 * validator's thread does not load the rules of the ledger; a test holds the order against theirs.
 * Source: design.md, "Words" (four levels from open to closed).
 */
import type { Level, RecordClass } from "@xinglin/contracts";

const FROM_OPEN_TO_CLOSED: readonly Level[] = ["public", "internal", "sensitive", "core"];

/** `level/category`: a stable key for grouping and for fault facts. */
export const classKey = (recordClass: RecordClass): string => `${recordClass.level}/${recordClass.category}`;

/** Whether `a` is more closed than `b`. */
export const isStricter = (a: Level, b: Level): boolean => FROM_OPEN_TO_CLOSED.indexOf(a) > FROM_OPEN_TO_CLOSED.indexOf(b);
