/**
 * The audit: every stored piece against its anchored root, every row of the read model against the chain. Neither needs a content key.
 * Source: requirements A2, C10, D3.
 */
import { auditPossession, LOST_SHARE, oddsOverObjects, repair, type Sampled, type Store } from "@xinglin/archive";
import { type Identity, TrustedChain } from "@xinglin/client";
import { Fault, toHex } from "@xinglin/primitives";
import { type AnchoredObject, archived, hasEnded, listObjects } from "./anchored-object.ts";
import { type AuditDraw, drawSeed } from "./audit-statement.ts";
import type { Gateway } from "./keep-record.ts";
import { lookOf, nothingSeen, type ObjectLook, type ObjectRepair, repairOf } from "./look-at-object.ts";

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

/** How thorough an audit is, and who hears of its progress. */
export interface AuditScope {
  /** Pieces to look at of each object on each store, drawn anew each time; all of them by default. */
  readonly sample?: number;
  readonly onObject?: (done: number) => void;
  /** What the sample is drawn by, for an audit that is to be recorded; random otherwise. */
  readonly draw?: AuditDraw;
  /** What was seen of each object that has not ended. */
  readonly onLook?: (object: AnchoredObject, look: ObjectLook) => void;
}

/**
 * Looks at the pieces of every object on every store, all or a sample, and at every row of the read model. Nothing is changed.
 * Faults: `sample_invalid`.
 */
export async function auditEverything(
  { client, stores: find }: Gateway,
  by: Identity,
  { sample, draw, onObject, onLook }: AuditScope = {},
): Promise<AuditReport> {
  const pieces: PieceFinding[] = [];
  const looked = new Map<string, Sampled[]>();
  const { readable: stores } = await find(by);
  const chain = await TrustedChain.of(client);
  let objects = 0;
  let ended = 0;
  let piecesChecked = 0;
  for await (const anchored of listObjects(client, by)) {
    const report = await auditObject(stores, anchored, sample, draw);
    objects++;
    onObject?.(objects);
    // Asked only where something is wrong: a proof an object would cost more than the audit.
    if (report.findings.length > 0 && (await hasEnded(chain, by, anchored))) {
      ended++;
      continue;
    }
    onLook?.(anchored, report.look);
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

async function auditObject(
  stores: readonly Store[],
  anchored: AnchoredObject,
  sample: number | undefined,
  draw: AuditDraw | undefined,
): Promise<{
  checked: number;
  looked: (readonly [store: string, Sampled])[];
  findings: PieceFinding[];
  look: ObjectLook;
}> {
  const { id, reference } = archived(anchored);
  const common = { object: anchored.object.id, record: anchored.record ?? anchored.batch ?? "" };
  try {
    const report = await auditPossession(reference, id, stores, {
      sample: sample ?? "all",
      ...(draw === undefined ? {} : { seed: drawSeed(draw, id) }),
    });
    const { stripes } = report.layout;
    const looked = report.stores.map(({ store, checked }) => [store, { pieces: stripes, sampled: checked }] as const);
    const findings = report.stores.flatMap(({ store, faults }) =>
      faults.map(({ stripe, column, kind }) => ({ ...common, store, stripe, column, kind })),
    );
    return { checked: report.checked, looked, findings, look: lookOf(report) };
  } catch (error) {
    // The whole object is one finding.
    if (!(error instanceof Fault) || error.code === "sample_invalid") throw error;
    const findings = [{ ...common, store: "*", stripe: -1, column: -1, kind: error.code }];
    return { checked: 0, looked: [], findings, look: nothingSeen(reference.code, error.code) };
  }
}

/** Rebuilds what is missing or wrong of one object from the other pieces. Returns how many pieces were written; `onRepair` hears more. */
export async function repairObject(
  { client, stores: find }: Gateway,
  by: Identity,
  objectId: Uint8Array,
  onRepair?: (object: AnchoredObject, repair: ObjectRepair) => void,
): Promise<number> {
  const wanted = toHex(objectId);
  const { readable: stores } = await find(by);
  for await (const anchored of listObjects(client, by)) {
    if (anchored.object.id !== wanted) continue;
    const { id, reference } = archived(anchored);
    const done = repairOf(await repair(reference, id, stores));
    onRepair?.(anchored, done);
    return done.pieces;
  }
  throw new Fault("object_unknown", { object: wanted });
}
