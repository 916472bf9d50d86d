/**
 * An import or the end of a version whose pixels are kept once, in a process that may be killed: `share FOLDER STORES NOTE` or
 * `release FOLDER STORES VERSION`. What stands in the folder `chain` is on the chain.
 */
import fs from "node:fs";
import { join } from "node:path";
import { fromHex, toHex } from "@xinglin/primitives";
import { encodeReference } from "../../src/reference.ts";
import { ingestShared } from "../../src/shared/ingest-shared.ts";
import { SharedRegistry } from "../../src/shared/registry.ts";
import { releaseShared } from "../../src/shared/release-shared.ts";
import { openStore, type openStores } from "../../src/store/open.ts";
import { closeWorkers } from "../../src/work/pool.ts";
import { anatomy, element, part10 } from "./part10.ts";

const [work, folder, given, word] = process.argv.slice(2) as [string, string, string, string];
const stores = (JSON.parse(given) as Parameters<typeof openStores>[0]).map(openStore);
const registry = new SharedRegistry(join(folder, "shared.db"));
const chain = (name: string): string => join(folder, "chain", name);

if (work === "share") {
  const source = Array.from({ length: 4 }, (_, i) => ({
    path: `IM${i}`,
    mediaType: "application/dicom",
    content: part10({
      rows: 128,
      columns: 128,
      pixels: anatomy(128, 128, i + 1),
      more: element(0x0029_1001, "UN", Buffer.from(word)),
    }),
  }));
  const sharingKey = new Uint8Array(32).fill(7);
  const { objectId, key, reference, pixels } = await ingestShared(source, { stores, registry, sharingKey, name: word });
  const anchor = { key: toHex(key), reference: toHex(encodeReference(reference)), keeps: pixels && toHex(pixels.objectId) };
  await fs.promises.writeFile(chain(`version-${toHex(objectId)}`), JSON.stringify(anchor));
  registry.anchored(objectId);
} else {
  await releaseShared(registry, [fromHex(word)], stores, async (objectId) => {
    await fs.promises.writeFile(chain(`dropped-${toHex(objectId)}`), "");
    return true;
  });
}
fs.writeSync(1, "done\n");
registry.close();
await closeWorkers();
