/**
 * Branded identifiers and units, checked once at the edge. None holds a name or a number that a person carries elsewhere.
 * Source: style.md, "Names"; design.md, "Identity".
 */
import { type Schema, text, uint } from "./schema.ts";

declare const brand: unique symbol;
type Brand<Base, Name extends string> = Base & { readonly [brand]: Name };

/** Seconds since 1970-01-01T00:00:00Z, of a block header unless said otherwise. */
export type UnixSeconds = Brand<number, "UnixSeconds">;
/** Height of a block, from 1. */
export type Height = Brand<number, "Height">;
/** A member institution, for example `hospital-a`: a short public name that the consortium gives. */
export type MemberId = Brand<string, "MemberId">;
/** A person, device, custodian or member administration that signs: 32 hex digits of randomness, or a member's own id. A patient's is the pseudonym at one institution. */
export type ActorId = Brand<string, "ActorId">;
/** A record at its source: 32 hex digits of randomness. */
export type RecordId = Brand<string, "RecordId">;
/** A credential, an approval or a batch: 32 hex digits. */
export type CredentialId = Brand<string, "CredentialId">;
/** What a committee votes on: 32 hex digits of randomness. */
export type ProposalId = Brand<string, "ProposalId">;

/** Schemas of the identifiers, checked where a value comes in; afterwards the type vouches for it. */
export const memberId: Schema<MemberId> = text(32, /^[a-z][a-z0-9-]*$/);
export const actorId: Schema<ActorId> = text(34, /^([0-9a-f]{32}|[a-z][a-z0-9-]{0,31})$/);
export const recordId: Schema<RecordId> = text(32, /^[0-9a-f]{32}$/);
export const credentialId: Schema<CredentialId> = text(32, /^[0-9a-f]{32}$/);
export const proposalId: Schema<ProposalId> = text(32, /^[0-9a-f]{32}$/);
/** Until the year 9999, so that a date always has four digits. */
export const unixSeconds: Schema<UnixSeconds> = uint(253_402_300_799);
export const height: Schema<Height> = uint();
