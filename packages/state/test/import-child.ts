/** Imports the parts in argv[3] into argv[2] again and again, until it is killed. */
import { readFileSync } from "node:fs";
import { beginImport } from "../src/index.ts";
import { openLevel } from "./fixture.ts";

const [path, file] = process.argv.slice(2) as [string, string];
const { height, root, parts } = JSON.parse(readFileSync(file, "utf8")) as {
  height: number;
  root: string;
  parts: { depth: number; hash: string; bytes: string }[];
};
const bytes = (hex: string): Uint8Array => Buffer.from(hex, "hex");
const db = await openLevel(path);
const places = parts.map(({ depth, hash }) => ({ depth, hash: bytes(hash) }));
const sink = await beginImport(db, { height, root: bytes(root), parts: places });
for (const [i, part] of parts.entries()) {
  await sink.apply(i, bytes(part.bytes));
  console.log(i);
}
await sink.finish();
console.log("done");
await db.close();
