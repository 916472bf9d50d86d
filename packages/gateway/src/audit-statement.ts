/**
 * What an auditor says it found on the stores and mended: canonical DAG-CBOR, `xinglin-audit/1`, about some tens of objects. The statements of a round are the
 * leaves of a Merkle tree whose root stands on the chain (`recordAudits`), so that none can be changed, added or left out afterwards.
 *
 * The pieces of an object are drawn by SHA-256 of a secret, the hash of a block and the object's id. No store knows the secret before the statement tells it.
 * A node commits to the secret in the round before (`next`), and the block is the one after that commitment: so the auditor could not choose either.
 * Source: requirement D3; docs/internals/archive.md, "Recorded rounds".
 */
import { createHash } from "node:crypto";
import type { RecordAudits } from "@xinglin/contracts";
import { nodeSha256 } from "@xinglin/crypto/node";
import { merkle } from "@xinglin/crypto/pure";
import { type Bytes, cbor, type Infer, memberId, schema, utf8 } from "@xinglin/primitives";
import { type AnchoredObject, archived } from "./anchored-object.ts";
import { isRight, type ObjectLook, type ObjectRepair } from "./look-at-object.ts";

/** Objects of one statement. */
export const STATEMENT_OBJECTS = 64;
const MAX_STORES = 4_096;
const MAX_STATEMENT_BYTES = 4_194_304;
const DRAW_CONTEXT = utf8("xinglin-audit-draw/1");

const objectId = schema.bytes(16);
const storeId = schema.text(64);
const code = schema.text(64);

/** What the draw of a round's pieces follows from. */
export const auditDraw = schema.object({
  secret: schema.bytes(32),
  /** Number of the auditor's recorded round that committed to the secret; without it the secret was chosen when it was used. */
  committed: schema.optional(schema.uint(Number.MAX_SAFE_INTEGER, 1)),
  /** A block: the one after that commitment, or else a recent one. */
  height: schema.uint(),
  hash: schema.bytes(32),
});
export type AuditDraw = Infer<typeof auditDraw>;

/** A statement. */
export const auditStatement = schema.object({
  type: schema.oneOf("xinglin-audit/1"),
  chain: schema.text(50),
  member: memberId,
  /** Seconds UTC of the auditor's clock. */
  from: schema.uint(),
  until: schema.uint(),
  /** Pieces of each object on each store; 0 for all. */
  sample: schema.uint(),
  draw: auditDraw,
  objects: schema.list(
    schema.object({ id: objectId, root: schema.bytes(32), stripes: schema.uint(), bytes: schema.uint() }),
    STATEMENT_OBJECTS,
  ),
  /** Of all these objects together. */
  stores: schema.list(schema.object({ store: storeId, drawn: schema.uint(), held: schema.uint() }), MAX_STORES),
  /** Where something was not right. */
  found: schema.list(
    schema.object({
      object: objectId,
      store: storeId,
      slot: schema.uint(255),
      pack: schema.oneOf("held", "missing", "absent", "unreadable"),
      documents: schema.bool,
      drawn: schema.uint(),
      held: schema.uint(),
    }),
    256 * STATEMENT_OBJECTS,
  ),
  /** Objects that could not be looked at, and why. */
  failed: schema.list(schema.object({ object: objectId, code }), STATEMENT_OBJECTS),
  /** Columns missing before and after, and what was written where. */
  repairs: schema.list(
    schema.object({
      object: objectId,
      before: schema.uint(),
      after: schema.uint(),
      stores: schema.list(schema.object({ store: storeId, pieces: schema.uint() }), 256),
      left: schema.list(schema.object({ store: storeId, code }), 256),
      code: schema.optional(code),
    }),
    STATEMENT_OBJECTS,
  ),
});
export type AuditStatement = Infer<typeof auditStatement>;

/** Seed of the draw for one object: what `auditPossession` is given. */
export function drawSeed({ secret, hash }: Pick<AuditDraw, "secret" | "hash">, object: Uint8Array): Uint8Array {
  return new Uint8Array(createHash("sha256").update(DRAW_CONTEXT).update(secret).update(hash).update(object).digest());
}

/** What a secret is committed to by. */
export const commitmentOf = (secret: Bytes): Bytes => nodeSha256(secret);

/** A statement that grows object by object. */
export class StatementDraft {
  readonly #common: Pick<AuditStatement, "chain" | "member" | "sample" | "draw">;
  readonly #now: () => number;
  readonly #from: number;
  readonly #objects: AuditStatement["objects"][number][] = [];
  readonly #stores = new Map<string, { drawn: number; held: number }>();
  readonly #found: AuditStatement["found"][number][] = [];
  readonly #failed: AuditStatement["failed"][number][] = [];
  readonly #repairs: AuditStatement["repairs"][number][] = [];

  /** `now` in milliseconds. */
  constructor(common: Pick<AuditStatement, "chain" | "member" | "sample" | "draw">, now: () => number = Date.now) {
    this.#common = common;
    this.#now = now;
    this.#from = Math.floor(now() / 1000);
  }

  get isEmpty(): boolean {
    return this.#objects.length === 0 && this.#repairs.length === 0;
  }

  get isFull(): boolean {
    return this.#objects.length >= STATEMENT_OBJECTS || this.#repairs.length >= STATEMENT_OBJECTS;
  }

  /** Says what a look found. */
  looked(anchored: AnchoredObject, { stores, stripes, storedBytes, code: why }: ObjectLook): void {
    const { id, reference } = archived(anchored);
    this.#objects.push({ id, root: reference.root, stripes, bytes: storedBytes });
    if (why !== undefined) this.#failed.push({ object: id, code: why });
    for (const look of stores) {
      const { store, drawn, held } = look;
      const sum = this.#stores.get(store) ?? { drawn: 0, held: 0 };
      this.#stores.set(store, { drawn: sum.drawn + drawn, held: sum.held + held });
      if (!isRight(look)) this.#found.push({ object: id, ...look });
    }
  }

  /** Says what a repair did. */
  repaired(anchored: AnchoredObject, { before, after, stores, left, code: why }: ObjectRepair): void {
    const { id } = archived(anchored);
    const common = { object: id, before, after, stores: [...stores], left: [...left] };
    this.#repairs.push(why === undefined ? common : { ...common, code: why });
  }

  encode(): Bytes {
    const statement: AuditStatement = {
      type: "xinglin-audit/1",
      ...this.#common,
      from: this.#from,
      until: Math.floor(this.#now() / 1000),
      objects: this.#objects,
      stores: [...this.#stores].map(([store, pieces]) => ({ store, ...pieces })),
      found: this.#found,
      failed: this.#failed,
      repairs: this.#repairs,
    };
    return cbor.encode(statement);
  }
}

/** All statements of a round that is held in memory. */
export class StatementList {
  readonly #done: Bytes[] = [];
  readonly #begin: () => StatementDraft;
  #draft: StatementDraft;

  constructor(common: Pick<AuditStatement, "chain" | "member" | "sample" | "draw">) {
    this.#begin = () => new StatementDraft(common);
    this.#draft = this.#begin();
  }

  /** Says what a look found. */
  looked(anchored: AnchoredObject, look: ObjectLook): void {
    this.#draft.looked(anchored, look);
    if (this.#draft.isFull) this.#turn();
  }

  /** Says what a repair did. */
  repaired(anchored: AnchoredObject, repair: ObjectRepair): void {
    this.#draft.repaired(anchored, repair);
    if (this.#draft.isFull) this.#turn();
  }

  /** All of them; none where nothing was looked at. */
  end(): readonly Bytes[] {
    if (!this.#draft.isEmpty) this.#turn();
    return this.#done;
  }

  #turn(): void {
    this.#done.push(this.#draft.encode());
    this.#draft = this.#begin();
  }
}

/** Throws `malformed`. */
export const decodeStatement = (bytes: Bytes): AuditStatement => auditStatement.parse(cbor.decode(bytes, MAX_STATEMENT_BYTES));

/** What statements add up to: all of a recorded round that follows from them. */
export type StatementCounts = Pick<RecordAudits, "root" | "count" | "objects" | "drawn" | "lost" | "repaired">;

/** Root and sums of a round's statements, in their order; at least one. */
export function countStatements(statements: readonly Bytes[]): StatementCounts {
  const sums = { objects: 0, drawn: 0, lost: 0, repaired: 0 };
  for (const bytes of statements) {
    const { objects, stores, repairs } = decodeStatement(bytes);
    sums.objects += objects.length;
    for (const { drawn, held } of stores) {
      sums.drawn += drawn;
      sums.lost += drawn - held;
    }
    for (const { stores: mended } of repairs) for (const { pieces } of mended) sums.repaired += pieces;
  }
  return { root: merkle.root(statements, nodeSha256), count: statements.length, ...sums };
}
