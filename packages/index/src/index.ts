export { type AccessView, hasAccess, listAccesses } from "./query/accesses.ts";
export { type ConsentView, type DirectiveView, type GrantView, listConsents, listGrants } from "./query/consents.ts";
export { type EntryFilter, type EntryView, entriesAfter, listEntries, maySeeEntry, type SignedBy } from "./query/entries.ts";
export { type FoundObject, findObject } from "./query/find-object.ts";
export { endedObjects, type ObjectReferrer, objectReferrers } from "./query/object-referrers.ts";
export { listObjects, type ObjectView } from "./query/objects.ts";
export { DEFAULT_PAGE_ROWS, MAX_PAGE_ROWS, type Page, type PageRequest } from "./query/page.ts";
export { findRecord, listRecords, type RecordChangeView, type RecordView } from "./query/records.ts";
export type { Viewer } from "./query/viewer.ts";
export { ReadModel, type ReadModelOptions, type RebuildReason } from "./read-model.ts";
export {
  type DescriptionToKeep,
  describedRecords,
  dropDescriptions,
  keepDescriptions,
} from "./search/descriptions.ts";
export { findMatches, type Match, type MatchQuery, type SearchPlace } from "./search/find-matches.ts";
export {
  type LoggedSearch,
  listSearches,
  listSearchesOf,
  logSearch,
  type PatientSearchView,
  type SearchLogView,
} from "./search/search-log.ts";
export type { FeedItem, Source } from "./source.ts";
export { openStore, type Store, type StoreLocation } from "./store/open.ts";
export type { Finding, Verification } from "./verify.ts";
export { MAX_FINDINGS } from "./verify.ts";
