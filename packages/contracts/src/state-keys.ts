/**
 * Where everything stands in the state: one function a kind of entry, so that a proof's key can be read by a person.
 * Sequences (`consent/…/{n}`, `access/…/{n}`) are numbered from 1 to the count in their head, so that completeness can be proved.
 * Source: design.md, "Ledger", State.
 */
import type { ActorId, CredentialId, MemberId, ProposalId, RecordId } from "@xinglin/primitives";
import type { Category, Level } from "./model/class.ts";

/** Keys of the state, by what stands there. */
export const keys = {
  parameters: "parameters",
  /** The set that is in force from two heights above the block that wrote it on. */
  validators: "validators",
  /** Sets before it that are still in force, or were in the last block. */
  earlierValidators: "validators/earlier",
  /** Who may hold a seat, the open epoch, and how many seats there are. */
  election: "election",
  /** What the open epoch counted so far. */
  tally: "tally",
  epoch: (epoch: number): string => `epoch/${epoch}`,
  penalty: (number: number): string => `penalty/${number}`,
  probes: (member: MemberId): string => `probe/${member}`,
  proposal: (id: ProposalId): string => `proposal/${id}`,
  classRule: (category: Category, level: Level): string => `matrix/${category}/${level}`,
  member: (id: MemberId): string => `member/${id}`,
  /** Whose node it is that peers know by this id, 40 hex digits. */
  node: (idHex: string): string => `node/${idHex}`,
  actor: (id: ActorId): string => `actor/${id}`,
  custodian: (id: ActorId): string => `custodian/${id}`,
  /** Ids of the custodians that were admitted beside those of the genesis. */
  admittedCustodians: "custodian",
  credential: (id: CredentialId): string => `credential/${id}`,
  approval: (id: CredentialId): string => `approval/${id}`,
  record: (id: RecordId): string => `record/${id}`,
  recordVersion: (id: RecordId, version: number): string => `record/${id}/${version}`,
  /** An archive object that versions of a member's records rely on. */
  object: (member: MemberId, idHex: string): string => `object/${member}/${idHex}`,
  /** A store that a member lends to the archive. */
  store: (id: string): string => `store/${id}`,
  /** Ids of all stores ever lent. */
  stores: "store",
  /** How many rounds of audits a member has recorded, and when the last. */
  auditHead: (member: MemberId): string => `audit/${member}`,
  audit: (member: MemberId, number: number): string => `audit/${member}/${number}`,
  batch: (rootHex: string): string => `batch/${rootHex}`,
  consentHead: (patient: ActorId): string => `consent/${patient}`,
  consent: (patient: ActorId, number: number): string => `consent/${patient}/${number}`,
  accessHead: (patient: ActorId): string => `access/${patient}`,
  access: (patient: ActorId, number: number): string => `access/${patient}/${number}`,
  /** Custodian `custodian` signed that it released its share for permit `number` of `patient`. */
  release: (patient: ActorId, number: number, custodian: ActorId): string => `release/${patient}/${number}/${custodian}`,
  /** Custodian `custodian` signed that it erased its share of `record` version `version`. */
  erasure: (id: RecordId, version: number, custodian: ActorId): string => `erasure/${id}/${version}/${custodian}`,
  /** Ids of the transactions included at `height`, until their validity is over. */
  replay: (height: number): string => `replay/${height}`,
  /** Oldest height whose replay entry is still kept. */
  replayWindow: "replay",
  /** Epoch, size, root and frontier of the open audit log. */
  log: "log",
  closedLog: (epoch: number): string => `log/${epoch}`,
} as const;
