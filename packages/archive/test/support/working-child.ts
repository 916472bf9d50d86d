/**
 * One piece of work on the stores of a folder, in a process that may be killed: `import`, `repair` or `destroy`, with what it works on. What it
 * says on its standard output is acknowledged.
 */
import { randomBytes } from "node:crypto";
import { writeSync } from "node:fs";
import { Fault, fromHex, toHex } from "@xinglin/primitives";
import { repair } from "../../src/audit.ts";
import { destroyObject } from "../../src/destroy.ts";
import { ingest } from "../../src/ingest.ts";
import { decodeReference, encodeReference } from "../../src/reference.ts";
import { openStore, openStores } from "../../src/store/open.ts";
import { closeWorkers } from "../../src/work/pool.ts";

const [work, given, ...words] = process.argv.slice(2) as [string, string, ...string[]];
const descriptions = JSON.parse(given) as Parameters<typeof openStores>[0];
const say = (...told: string[]): void => void writeSync(1, `${told.join(" ")}\n`);

if (work === "import") {
  const stores = await openStores(descriptions);
  for (let i = 0; i < 2; i++) {
    const content = randomBytes(i === 0 ? 20_000 : 3_000_000);
    const { objectId, key, reference } = await ingest([{ path: "x", content }], { stores });
    say(toHex(objectId), toHex(key), toHex(encodeReference(reference)), toHex(content.subarray(0, 16)));
  }
} else {
  const stores = descriptions.map(openStore); // another process may be at work: it collects nothing
  const [objectId, reference] = words.map(fromHex) as [Uint8Array, Uint8Array];
  try {
    if (work === "repair") say((await repair(decodeReference(reference), objectId, stores)).after.intact ? "intact" : "lost");
    else if (work === "destroy")
      say(...(await destroyObject(decodeReference(reference), objectId, stores)).stores.map(({ outcome }) => outcome));
    else say(toHex((await ingest([{ path: "x", content: randomBytes(400_000) }], { stores, objectId })).key));
  } catch (error) {
    say(error instanceof Fault ? error.code : `${error}`);
  }
}
await closeWorkers();
