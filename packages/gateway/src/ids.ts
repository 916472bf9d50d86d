/** Fresh random identifiers: they say nothing of whom or what they name. */
import { randomBytes } from "@xinglin/crypto";
import { type ActorId, type CredentialId, type ProposalId, type RecordId, toHex } from "@xinglin/primitives";

const random = (): string => toHex(randomBytes(16));
export const newActorId = (): ActorId => random() as ActorId;
export const newRecordId = (): RecordId => random() as RecordId;
export const newCredentialId = (): CredentialId => random() as CredentialId;
export const newProposalId = (): ProposalId => random() as ProposalId;
