/** Looking at the pieces and documents of an object on every store, without the content key. */
import { equal } from "@xinglin/primitives";
import { columnOf, columnsOf, pieceBytesOf, stripeBytesOf } from "../layout.ts";
import { isManifest, MAX_MANIFEST_BYTES } from "../manifest.ts";
import { MAX_TABLE_BYTES } from "../piece-table.ts";
import type { ObjectReference } from "../reference.ts";
import type { DocumentName } from "../store/store.ts";
import type { Holder, OpenObject } from "./open-object.ts";
import { statesInRuns } from "./piece-runs.ts";
import { type PieceState, StripeReader } from "./stripe-reader.ts";
import type { TaskContext } from "./tasks.ts";

/** What became of a slot's pack: `absent` and `unreadable` are the store's state, `missing` a store without the pack. */
export type PackState = "held" | "missing" | "absent" | "unreadable";

/** What one slot's store showed. */
export interface SlotInspection {
  readonly slot: number;
  /** The store that holds the slot, else the one that should. */
  readonly store: string;
  readonly member: string | undefined;
  readonly pack: PackState;
  readonly table: PieceState;
  readonly manifest: PieceState;
  /** Stripes looked at, ascending, and what was found of each. */
  readonly stripes: readonly number[];
  readonly pieces: readonly PieceState[];
}

/** Which stripes of a slot are looked at, ascending. */
export type StripeChoice = (slot: number) => readonly number[];

/** Looks at the chosen pieces of every slot, one store after the other, and at the documents beside them. */
export async function inspectObject(
  object: OpenObject,
  reference: ObjectReference,
  choose: StripeChoice,
  context: TaskContext,
): Promise<SlotInspection[]> {
  const { layout, header } = object.table;
  const reader = new StripeReader(object, { pieceReadMs: 0, pieceHashMs: 0, codeMs: 0 });
  const slots = header.placement.map((_, slot) => choose(slot));
  const total = slots.reduce((sum, stripes) => sum + stripes.length, 0);
  const bytesAPiece = stripeBytesOf(layout) / columnsOf(layout); // progress counts bytes of the object
  let done = 0;
  const out: SlotInspection[] = [];
  // The right one is known and has one encoding: to decode it on every store costs a tenth of the audit.
  const table = object.table.encode();
  for (const [slot, stripes] of slots.entries()) {
    const holder = object.holders.find(({ pack }) => pack.slot === slot);
    const pieces: PieceState[] = [];
    for await (const state of statesOf(object, reader, holder, slot, stripes)) {
      if (pieces.push(state) % 16 === 1) context.checkpoint();
      context.progress(Math.round(++done * bytesAPiece), Math.round(total * bytesAPiece));
    }
    const placed = object.stores.find(({ id }) => id === header.placement[slot]);
    // A pack that says it is this slot's, elsewhere than it was placed and with nothing right in it, is of something else.
    const isStray = holder !== undefined && holder.store !== placed && !pieces.includes("held");
    out.push({
      slot,
      store: holder?.store.id ?? header.placement[slot]!,
      member: (holder?.store ?? placed)?.member,
      pack: holder === undefined || isStray ? packState(object, header.placement[slot]!) : "held",
      table: await documentState(holder, "table", MAX_TABLE_BYTES, (bytes) => equal(bytes, table)),
      manifest: await documentState(holder, "manifest", MAX_MANIFEST_BYTES, (bytes) => isManifest(bytes, reference)),
      stripes,
      pieces,
    });
  }
  return out;
}

/** The state of each chosen piece of a slot, in order. */
async function* statesOf(
  { table }: OpenObject,
  reader: StripeReader,
  holder: Holder | undefined,
  slot: number,
  stripes: readonly number[],
): AsyncGenerator<PieceState> {
  const { layout } = table;
  if (holder !== undefined && holder.pack.isNear !== true)
    return yield* statesInRuns(holder.pack, stripes, pieceBytesOf(layout), (stripe, piece) =>
      table.matches(stripe, columnOf(layout, stripe, slot), piece),
    );
  for (const stripe of stripes)
    yield holder === undefined ? "missing" : await reader.fetchFrom(holder, stripe, columnOf(layout, stripe, slot));
}

function packState(object: OpenObject, store: string): PackState {
  if (object.holders.some((holder) => holder.store.id === store)) return "missing"; // it shows the pack of another slot
  const kinds = object.troubles.list.filter((trouble) => trouble.store === store).map(({ kind }) => kind);
  if (kinds.includes("no_pack")) return "missing";
  return kinds.includes("unreadable") ? "unreadable" : "absent";
}

async function documentState(
  holder: Holder | undefined,
  name: DocumentName,
  maxBytes: number,
  isRight: (bytes: Uint8Array) => boolean,
): Promise<PieceState> {
  const bytes = await holder?.pack.readDocument(name, maxBytes).catch(() => undefined);
  if (bytes === undefined) return "missing";
  return isRight(bytes) ? "held" : "corrupt";
}
