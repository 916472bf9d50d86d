/** A folder of a test, removed when the test ends. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";

export async function folder(context: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "ledger-"));
  context.after(() => rm(path, { recursive: true, force: true }));
  return path;
}
