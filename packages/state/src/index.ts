export * from "./contract.ts";
export { isImportUnfinished } from "./database.ts";
export { StateExport } from "./export-state.ts";
export { beginImport, discardImport, type ImportOptions, type StateImport } from "./import-state.ts";
export { DATABASE_OPTIONS, openState } from "./open.ts";
export { decodeCut, encodeCut, PART_BYTES, type PartEntry, type PartPlace, rootOfCut, type StatePart } from "./state-parts.ts";
