/** The tables of the schema `xinglin_search`. Nothing in them is derived from the chain. Source: docs/internals/search.md. */
import type { Bytes } from "@xinglin/primitives";

/** One described record; `version` of a record of its own, `batch` (the root) of one in a batch. Months as `yyyymm`, 0 where it says none. */
export interface SearchRecordRow {
  record: string;
  version: number | null;
  batch: Bytes | null;
  source: string;
  patient: string;
  level: string;
  category: string;
  format: string;
  first_month: number | null;
  last_month: number;
  modalities: string[] | null;
  body_parts: string[] | null;
  manufacturers: string[] | null;
  series_class: number | null;
  instance_class: number | null;
  slice_micrometres: number | null;
  contrast: boolean | null;
}

/** One kind of resource in a FHIR record. */
export interface SearchEntryRow {
  record: string;
  type: string;
  system: string | null;
  code: string | null;
  status: string | null;
  first_month: number | null;
  last_month: number | null;
}

/** Who searched for what; `time` in seconds by the node's clock, `height` the newest block's. */
export interface SearchLogRow {
  number: number;
  time: number;
  height: number;
  actor: string;
  key: string;
  member: string;
  purpose: string;
  credential: string;
  approval: string | null;
  criteria: Record<string, unknown>;
  shown: number;
}

/** A record that a search showed. */
export interface SearchShownRow {
  search: number;
  record: string;
  patient: string;
}

/** By their qualified names, for Kysely. */
export interface SearchTables {
  "xinglin_search.records": SearchRecordRow;
  "xinglin_search.entries": SearchEntryRow;
  "xinglin_search.searches": SearchLogRow;
  "xinglin_search.shown": SearchShownRow;
}
