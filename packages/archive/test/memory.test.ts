/** Memory does not grow with the object: a process that imports sparse frames and streams them back. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { temporaryFolder } from "./support/consortium.ts";
import { part10 } from "./support/part10.ts";

const child = fileURLToPath(new URL("./support/large-child.ts", import.meta.url));
const FRAME = 512 * 512 * 2;

/** Peak of a process that imports `frames` frames and reads them back, in bytes. */
async function peakOf(folder: string, frames: number): Promise<number> {
  const path = join(folder, `study-${frames}`);
  const file = await open(path, "w");
  const header = part10({ rows: 512, columns: 512, frames, pixels: Buffer.alloc(0) });
  header.writeUInt32LE(frames * FRAME, header.length - 4); // the pixels are a hole
  await file.write(header);
  await file.truncate(header.length + frames * FRAME);
  await file.close();
  const { stdout } = await promisify(execFile)(process.execPath, [child, path, join(folder, `stores-${frames}`)]);
  const { read, peak } = JSON.parse(stdout) as { read: number; peak: number };
  assert.equal(read, header.length + frames * FRAME);
  return peak;
}

test("an object of 300 MB takes little more memory than one of 30 MB", async (t) => {
  const folder = await temporaryFolder(t);
  const small = await peakOf(folder, 60);
  const large = await peakOf(folder, 600);
  assert.ok(large < 300e6 && large < small * 1.3, `${large} beside ${small} bytes`);
});
