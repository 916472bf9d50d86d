/** Databases in temporary folders that go with the test. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { ClassicLevel } from "classic-level";
import { DATABASE_OPTIONS, openState, type State, type StateChange, type StateOptions } from "../src/index.ts";

export type Level = ClassicLevel<Uint8Array, Uint8Array>;

/** A folder that is removed when the test ends. */
export async function folder(t: Pick<TestContext, "after">): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "xinglin-state-"));
  t.after(() => rm(path, { recursive: true, force: true }));
  return path;
}

export async function openLevel(path: string): Promise<Level> {
  const db: Level = new ClassicLevel(path, DATABASE_OPTIONS);
  await db.open();
  return db;
}

/** A state that can be closed and opened again. */
export class Reopening {
  db!: Level;
  state!: State;
  readonly path: string;
  readonly options: StateOptions;

  constructor(path: string, options: StateOptions = {}) {
    this.path = path;
    this.options = options;
  }

  async open(): Promise<this> {
    this.db = await openLevel(this.path);
    this.state = await openState(this.db, this.options);
    return this;
  }

  async reopen(): Promise<void> {
    await this.db.close();
    await this.open();
  }
}

/** An open state on a fresh folder, closed when the test ends. */
export async function fresh(t: Pick<TestContext, "after">, options: StateOptions = {}): Promise<Reopening> {
  const path = await folder(t);
  const opened = await new Reopening(path, options).open();
  t.after(() => opened.db.close());
  return opened;
}

export const put = (key: string, value: string): StateChange => ({ key, value: Buffer.from(value) });
export const del = (key: string): StateChange => ({ key, value: null });
export const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

/** Commits one block and returns its root in hex. */
export async function block(state: State, height: number, changes: readonly StateChange[]): Promise<string> {
  const prepared = state.prepare(height, changes);
  await state.commit(prepared);
  return hex(prepared.root);
}
