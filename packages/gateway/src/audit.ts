/**
 * The audit: every stored piece against its anchored root, every row of the read model against the chain. Neither needs a content key.
 * Source: requirements A2, C10, D3.
 */
import { auditPossession, LOST_SHARE, oddsOverObjects, repair, type Sampled, type Store } from "@xinglin/archive";
import { type ApiClient, type Identity, TrustedChain } from "@xinglin/client";
import { keptObject, keys, record as recordSchema } from "@xinglin/contracts";
import { cbor, Fault, fromHex, type MemberId, type RecordId, toHex } from "@xinglin/primitives";
import type { Gateway } from "./keep-record.ts";

/** A piece that its store does not have, or has wrong. */
export interface PieceFinding {
  readonly store: string;
  readonly object: string;
  /** Id of the record, or of a pack the root of its batch. */
  readonly record: string;
  readonly stripe: number;
  readonly column: number;
  readonly kind: string;
}
/** A row of the read model that is not as the chain says; `columns` names what differs, or says that the row is missing or extra. */
export interface RowFinding {
  readonly table: string;
  readonly row: string;
  readonly columns: string;
}

/** What an audit found, by record and in the read model. */
export interface AuditReport {
  readonly objects: number;
  /** Of them, those whose record has ended: nothing of them has to be there. */
  readonly ended: number;
  readonly piecesChecked: number;
  /** At least the probability with which any one store was found that had lost `lostShare` of its pieces, wherever that is worst. */
  readonly finds: { readonly lostShare: number; readonly probability: number };
  readonly pieces: readonly PieceFinding[];
  /** Undefined where the caller may not have them checked: they are everybody's. */
  readonly rowsChecked: number | undefined;
  readonly rows: readonly RowFinding[];
}

/** An object as `/v1/objects` tells of it. */
export interface AnchoredObject {
  readonly sequence: number;
  /** The record, or of a pack the batch, that names it. */
  readonly record?: string;
  readonly batch?: string;
  /** Of one that neither names: pixels that its member keeps for several versions, or dropped. */
  readonly status?: "kept" | "dropped";
  readonly source: string;
  readonly object: {
    readonly id: string;
    readonly manifest: string;
    readonly root: string;
    readonly sizeClass: number;
    readonly code: { k: number; m: number };
    readonly profile?: "national";
  };
}

const PAGE = 100;

/** Every object that `by` may audit, newest first: a commission's all, another member's its own. */
export async function* listObjects(client: ApiClient, by: Identity): AsyncGenerator<AnchoredObject> {
  for (let before: number | undefined; ; ) {
    const page = (await client.getJson(`/v1/objects?limit=${PAGE}${before === undefined ? "" : `&before=${before}`}`, by)) as {
      items: AnchoredObject[];
    };
    yield* page.items;
    const last = page.items.at(-1);
    if (last === undefined || page.items.length < PAGE) return;
    before = last.sequence;
  }
}

/** Id and reference of an object, for the archive. */
export const archived = ({ object }: AnchoredObject) => ({
  id: fromHex(object.id),
  reference: {
    manifest: fromHex(object.manifest),
    root: fromHex(object.root),
    sizeClass: object.sizeClass,
    code: object.code,
    ...(object.profile === undefined ? {} : { profile: object.profile }),
  },
});

/** How thorough an audit is, and who hears of its progress. */
export interface AuditScope {
  /** Pieces to look at of each object on each store, drawn anew each time; all of them by default. */
  readonly sample?: number;
  readonly onObject?: (done: number) => void;
}

/**
 * Looks at the pieces of every object on every store, all or a sample, and at every row of the read model. Nothing is changed.
 * Faults: `sample_invalid`.
 */
export async function auditEverything(
  { client, stores: find }: Gateway,
  by: Identity,
  { sample, onObject }: AuditScope = {},
): Promise<AuditReport> {
  const pieces: PieceFinding[] = [];
  const looked = new Map<string, Sampled[]>();
  const { readable: stores } = await find(by);
  const chain = await TrustedChain.of(client);
  let objects = 0;
  let ended = 0;
  let piecesChecked = 0;
  for await (const anchored of listObjects(client, by)) {
    const report = await auditObject(stores, anchored, sample);
    objects++;
    onObject?.(objects);
    // Asked only where something is wrong: a proof an object would cost more than the audit.
    if (report.findings.length > 0 && (await hasEnded(chain, by, anchored))) {
      ended++;
      continue;
    }
    pieces.push(...report.findings);
    piecesChecked += report.checked;
    for (const [store, sampled] of report.looked) {
      const before = looked.get(store);
      if (before === undefined) looked.set(store, [sampled]);
      else before.push(sampled);
    }
  }
  const { rowsChecked, rows } = await auditRows(client, by);
  const odds = [...looked.values()].map((sampled) => oddsOverObjects(sampled, LOST_SHARE));
  const finds = { lostShare: LOST_SHARE, probability: Math.min(1, ...odds) };
  return { objects, ended, piecesChecked, finds, pieces, rowsChecked, rows };
}

/** The rows of the read model against the chain; nothing of them is told to who is no commission. */
async function auditRows(client: Gateway["client"], by: Identity): Promise<Pick<AuditReport, "rowsChecked" | "rows">> {
  try {
    const { rows, findings } = (await client.postJson("/v1/read-model/verify", by)) as {
      rows: number;
      findings: { table: string; key: string; kind: string; columns?: string[] }[];
    };
    const wrong = findings.map(({ table, key, kind, columns }) => ({ table, row: key, columns: columns?.join(",") ?? kind }));
    return { rowsChecked: rows, rows: wrong };
  } catch (error) {
    if (error instanceof Fault && error.code === "not_visible") return { rowsChecked: undefined, rows: [] };
    throw error;
  }
}

/** Whether the record that names an object has ended, or the object was dropped: its pieces went on purpose, and nobody should mend them. */
export async function hasEnded(
  chain: TrustedChain,
  by: Identity,
  { record, status, source, object }: AnchoredObject,
): Promise<boolean> {
  if (status !== undefined) {
    const { value } = await chain.prove(by, keys.object(source as MemberId, object.id));
    return value !== undefined && keptObject.parse(cbor.decodeTrusted(value)).status === "dropped";
  }
  if (record === undefined) return false;
  const { value } = await chain.prove(by, keys.record(record as RecordId));
  return value !== undefined && recordSchema.parse(cbor.decodeTrusted(value)).status === "ending";
}

async function auditObject(
  stores: readonly Store[],
  anchored: AnchoredObject,
  sample: number | undefined,
): Promise<{ checked: number; looked: (readonly [store: string, Sampled])[]; findings: PieceFinding[] }> {
  const { id, reference } = archived(anchored);
  const common = { object: anchored.object.id, record: anchored.record ?? anchored.batch ?? "" };
  try {
    const report = await auditPossession(reference, id, stores, { sample: sample ?? "all" });
    const { stripes } = report.layout;
    const looked = report.stores.map(({ store, checked }) => [store, { pieces: stripes, sampled: checked }] as const);
    const findings = report.stores.flatMap(({ store, faults }) =>
      faults.map(({ stripe, column, kind }) => ({ ...common, store, stripe, column, kind })),
    );
    return { checked: report.checked, looked, findings };
  } catch (error) {
    // The whole object is one finding.
    if (!(error instanceof Fault) || error.code === "sample_invalid") throw error;
    return { checked: 0, looked: [], findings: [{ ...common, store: "*", stripe: -1, column: -1, kind: error.code }] };
  }
}

/** Rebuilds what is missing or wrong of one object from the other pieces. Returns how many pieces were written. */
export async function repairObject({ client, stores: find }: Gateway, by: Identity, objectId: Uint8Array): Promise<number> {
  const wanted = toHex(objectId);
  const { readable: stores } = await find(by);
  for await (const anchored of listObjects(client, by)) {
    if (anchored.object.id !== wanted) continue;
    const { id, reference } = archived(anchored);
    const { before, after } = await repair(reference, id, stores);
    return after.held - before.held;
  }
  throw new Fault("object_unknown", { object: wanted });
}
