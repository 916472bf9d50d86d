/**
 * Where a member's keys lie in a data folder, of one node or of a consortium on one machine.
 * Source: CONTRIBUTING "Secrets only in files with owner-only rights".
 */
import { join } from "node:path";
import type { ActorId, MemberId } from "@xinglin/primitives";

/** Folder of one member's keys. */
export const memberFolder = (data: string, member: MemberId): string => join(data, "members", member);
/** Key file of a member's administration. */
export const administrationKey = (data: string, member: MemberId): string =>
  join(memberFolder(data, member), "administration.json");
/** Key file of a member's custodian. */
export const custodianKey = (data: string, member: MemberId): string => join(memberFolder(data, member), "custodian.json");
/** Key file of a member's validator. */
export const memberValidatorKey = (data: string, member: MemberId): string => join(memberFolder(data, member), "validator.json");
/** Key file by which peers know a member's node. */
export const nodeKey = (data: string, member: MemberId): string => join(memberFolder(data, member), "node.json");
/** Key file of the validator of a consortium in one folder, which no member's part is. */
export const soloValidatorKey = (data: string): string => join(data, "validator.json");
/** The custodian of a member: an actor of its own. */
export const custodianId = (member: MemberId): ActorId => `custodian-${member}` as ActorId;
