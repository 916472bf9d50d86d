/**
 * Keeping the descriptions that a member's gateway makes of its own records, for searches. Whose a record is and of which class is looked up in the state.
 * Source: requirement D7; docs/internals/search.md.
 */
import {
  checkKeeper,
  type DescribedRecord,
  type DescriptionFiling,
  type FilingAnswer,
  getActor,
  getBatch,
  getRecord,
  RECORD_ROLES,
  type StateReader,
} from "@xinglin/contracts";
import { type DescriptionToKeep, describedRecords, dropDescriptions, keepDescriptions, type ReadModel } from "@xinglin/index";
import { accept, Fault, type MemberId, type RecordId, type Result, refuse, type UnixSeconds } from "@xinglin/primitives";
import type { ApiContext } from "../context.ts";
import type { Caller } from "../session/sessions.ts";

/** Why a description is not kept. */
type NotKept =
  | "unknown_record"
  | "record_of_another_member"
  | "record_not_current"
  | "record_superseded"
  | "unknown_batch"
  | "batch_of_another_member"
  | "patient_of_another_member"
  | "description_of_another_format";

/** Keeps what is of the caller's member and as it stands now. Throws `not_visible` at another member's node, and `search_credential_refused`. */
export async function fileDescriptions(
  { state, index, options, blockTime }: ApiContext,
  caller: Caller,
  { credential, records }: DescriptionFiling,
): Promise<FilingAnswer> {
  const here = options.search?.member;
  if (here !== undefined && here !== caller.member) throw new Fault("not_visible");
  requireKeeper(state, caller, credential, blockTime() as UnixSeconds);
  const kept: DescriptionToKeep[] = [];
  const refused: FilingAnswer["refused"] = [];
  for (const described of records) {
    const looked = lookUp(state, described, caller.member);
    if (looked.ok) kept.push(looked.value);
    else refused.push({ record: described.record, code: looked.refusal });
  }
  await keepDescriptions(index.db, kept);
  // What ended while it was being written was looked for by the projection too early.
  await dropDescriptions(
    index.db,
    kept.filter((one) => isOver(state, one)).map(({ record }) => record),
  );
  return { kept: kept.length, refused };
}

function requireKeeper(state: StateReader, caller: Caller, credential: DescriptionFiling["credential"], time: UnixSeconds): void {
  const actor = getActor(state, caller.actorId);
  if (actor === undefined) throw new Fault("not_visible");
  const keeper = checkKeeper(state, { actorId: caller.actorId, actor }, credential, time, { roles: RECORD_ROLES, devices: true });
  if (!keeper.ok) throw new Fault("search_credential_refused", { code: keeper.refusal.code });
}

/** The description with what the state says of its record. */
function lookUp(state: StateReader, described: DescribedRecord, member: MemberId): Result<DescriptionToKeep, NotKept> {
  const { record: id, description } = described;
  const record = getRecord(state, id);
  if (described.kind === "record") {
    if (record === undefined) return refuse("unknown_record");
    if (record.source !== member) return refuse("record_of_another_member");
    if (record.status !== "current") return refuse("record_not_current");
    if (record.version !== described.version) return refuse("record_superseded");
    if (record.format !== description.format) return refuse("description_of_another_format");
    return accept({
      record: id,
      version: record.version,
      source: member,
      patient: record.patient,
      class: record.class,
      description,
    });
  }
  const { root, patient, class: recordClass } = described;
  const batch = getBatch(state, root);
  if (batch === undefined) return refuse("unknown_batch");
  if (batch.source !== member) return refuse("batch_of_another_member");
  const actor = getActor(state, patient);
  if (actor?.kind !== "patient" || actor.member !== member) return refuse("patient_of_another_member");
  if (record !== undefined) return refuse("record_superseded");
  return accept({ record: id, batch: root, source: member, patient, class: recordClass, description });
}

/** Records that are looked at together. */
const LOOK_ROWS = 1_000;

/**
 * Drops what is known of records that have ended, were withdrawn or have a newer version; for a start, since a folder may be an old copy. Returns how many, of
 * those that were looked at before `signal`. Cost: a read of the state a record; a search shows none of them meanwhile either.
 */
export async function dropEndedDescriptions(state: StateReader, index: ReadModel, signal: AbortSignal): Promise<number> {
  let dropped = 0;
  for (let after = ""; !signal.aborted; ) {
    const rows = await describedRecords(index.db, after, LOOK_ROWS);
    const gone = rows.filter(({ record, version }) => isOver(state, { record, ...(version === null ? {} : { version }) }));
    await dropDescriptions(
      index.db,
      gone.map(({ record }) => record),
    );
    dropped += gone.length;
    const last = rows.at(-1);
    if (last === undefined || rows.length < LOOK_ROWS) break;
    after = last.record;
  }
  return dropped;
}

/** Whether the state says that the described version is not what stands any more. Of a record that it does not know, as while a node catches up, it says nothing. */
function isOver(state: StateReader, { record, version }: Pick<DescriptionToKeep, "record" | "version">): boolean {
  const found = getRecord(state, record as RecordId);
  return found !== undefined && (version === undefined || found.status !== "current" || found.version > version);
}
