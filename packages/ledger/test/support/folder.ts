/** What a test leaves behind is put away when it ends, the latest first: ledgers are closed before their folders are removed. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";

const pending = new WeakMap<TestContext, (() => unknown)[]>();

/** Runs `cleanUp` when the test ends, before what was asked for earlier. */
export function atEnd(context: TestContext, cleanUp: () => unknown): void {
  const known = pending.get(context);
  if (known !== undefined) {
    known.push(cleanUp);
    return;
  }
  const all = [cleanUp];
  pending.set(context, all);
  context.after(async () => {
    for (const one of all.toReversed()) await one();
  });
}

/** An empty folder of the test's own. */
export async function folder(context: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "ledger-"));
  atEnd(context, () => rm(path, { recursive: true, force: true }));
  return path;
}
