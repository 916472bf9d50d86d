/** The archive: objects sealed, erasure-coded over the members' stores, audited and repaired without their key. */
export * from "./audit.ts";
export { ReedSolomon } from "./code/reed-solomon.ts";
export * from "./destroy.ts";
export * from "./digest.ts";
export * from "./disk-check.ts";
export * from "./durability/audit-odds.ts";
export * from "./durability/availability.ts";
export * from "./durability/birth-death.ts";
export * from "./durability/choose-code.ts";
export { simulateChurn } from "./durability/churn.ts";
export type * from "./durability/churn-settings.ts";
export { type CodeOdds, type MeasuredStore, oddsOfCode, type StoreOdds } from "./durability/code-odds.ts";
export * from "./durability/footprint.ts";
export * from "./durability/holders.ts";
export type { StoreFacts } from "./durability/placement-rank.ts";
export * from "./durability/prices.ts";
export * from "./durability/rare-loss.ts";
export type { Odds } from "./durability/risks.ts";
export * from "./durability/tiering.ts";
export * from "./durability/yearly-loss.ts";
export type { FileEntry } from "./file-entry.ts";
export { readPart10 } from "./filter/part10.ts";
export type { SampleLayout } from "./filter/predictor.ts";
export { FORETOLD, UnitCodec } from "./filter/unit-codec.ts";
export { planFile } from "./filter/units.ts";
export * from "./ingest.ts";
export {
  type CodeParameters,
  chunkBytesFor,
  codeParameters,
  columnsOf,
  DEFAULT_CODE,
  type Layout,
  packBytesOf,
  sizeClassOf,
} from "./layout.ts";
export type { Authorize } from "./lending/guests.ts";
export { issuePass, MAX_PASS_SECONDS, type PassStatement, readPass, type StoreAccess } from "./lending/pass.ts";
export type { Anchor, FindAnchor } from "./lending/repair-proof.ts";
export { type Lending, type LendingOptions, startLending } from "./lending/start-lending.ts";
export type { Manifest } from "./manifest.ts";
export { type HeldPack, heldPack, type MovePlaces, movePack, type PackMove } from "./move-pack.ts";
export { type Pack, type PackedRecord, type PackOptions, packRecords } from "./packs/pack-records.ts";
export { retrieveRecord, type SmallRecord } from "./packs/read-record.ts";
export { MAX_SMALL_BYTES, type PackSlice, packSlice } from "./packs/record-seal.ts";
export { isArchivePath } from "./paths.ts";
export { decodeTable, type PieceProof, PieceTable, type TableHeader, verifyPiece } from "./piece-table.ts";
export * from "./placement.ts";
export { PROFILES, type ProfileName, profileName } from "./profile/profile.ts";
export * from "./reference.ts";
export * from "./retrieve.ts";
export * from "./retrieve-files.ts";
export type { Selection } from "./selection.ts";
export { type IngestedShared, type IngestSharedOptions, ingestShared } from "./shared/ingest-shared.ts";
export { SHARING_KEY_BYTES } from "./shared/region-keys.ts";
export { type BegunVersion, SharedRegistry, type SharedState } from "./shared/registry.ts";
export {
  type CollectSharedOptions,
  collectShared,
  releaseShared,
  type SharedRelease,
  takeBackShared,
} from "./shared/release-shared.ts";
export type { SourceFile } from "./source.ts";
export {
  type DirectoryDescription,
  type NodeDescription,
  type S3Description,
  type Site,
  type StoreDescription,
  siteOf,
  storeDescription,
  storeTier,
  tierName,
  withStorePaths,
} from "./store/description.ts";
export { DirectoryStore } from "./store/directory.ts";
export { NodeStore } from "./store/node-store.ts";
export * from "./store/open.ts";
export { S3Store } from "./store/s3-store.ts";
export type * from "./store/store.ts";
export type { AuditReport, PieceFault, StoreAudit } from "./work/audit-object.ts";
export type { ImportOutcome, ImportStages } from "./work/import-object.ts";
export { closeWorkers, type WorkOptions } from "./work/pool.ts";
export type { ReadOutcome, ReadStages } from "./work/read-object.ts";
export type { RepairRecord } from "./work/repair-object.ts";
export type { StoreLeft, StoreRepair } from "./work/repair-target.ts";
export type { StoreTrouble, TroubleKind } from "./work/trouble.ts";
