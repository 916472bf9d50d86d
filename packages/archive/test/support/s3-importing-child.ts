/** Imports a small object into S3 stores, then others of the bytes given, and says which are acknowledged, until it is killed. */
import { randomBytes } from "node:crypto";
import { writeSync } from "node:fs";
import { toHex } from "@xinglin/primitives";
import { ingest } from "../../src/ingest.ts";
import { openStore } from "../../src/store/open.ts";

const descriptions = JSON.parse(process.argv[2]!) as Parameters<typeof openStore>[0][];
const stores = descriptions.map(openStore);
for (let bytes = 100_000; ; bytes = Number(process.argv[3])) {
  const content = randomBytes(bytes);
  const onProgress = (done: number): void => void writeSync(1, `at ${done}\n`);
  const { objectId } = await ingest([{ path: "x", content }], { stores, onProgress });
  writeSync(1, `done ${toHex(objectId)}\n`);
}
