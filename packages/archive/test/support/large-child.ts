/** Imports one file into fourteen new stores, streams it back and prints how much came back and the process's peak of memory. */
import { join } from "node:path";
import { ingest } from "../../src/ingest.ts";
import { retrieveFiles } from "../../src/retrieve-files.ts";
import { openStores } from "../../src/store/open.ts";
import { closeWorkers } from "../../src/work/pool.ts";

const [location, folder] = process.argv.slice(2) as [string, string];
const descriptions = Array.from({ length: 14 }, (_, i) => {
  return { kind: "directory" as const, id: `m${i}`, member: `m${i}`, path: join(folder, `${i}`) };
});
const stores = await openStores(descriptions, { create: true });
const { reference, objectId, key } = await ingest([{ path: "x", location }], { stores });
let read = 0;
for await (const file of retrieveFiles(reference, objectId, key, stores.slice(4)))
  for await (const part of file.content) {
    read += part.length;
    (part.buffer as ArrayBuffer).transfer(0);
  }
await closeWorkers();
console.log(JSON.stringify({ read, peak: process.resourceUsage().maxRSS * 1024 }));
