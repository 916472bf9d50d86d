/** Imports one object after the other into the stores of a folder, and says which are acknowledged, until it is killed. */
import { randomBytes } from "node:crypto";
import { writeSync } from "node:fs";
import { toHex } from "@xinglin/primitives";
import { ingest } from "../../src/ingest.ts";
import { encodeReference } from "../../src/reference.ts";
import { openStores } from "../../src/store/open.ts";

const descriptions = JSON.parse(process.argv[2]!) as Parameters<typeof openStores>[0];
const stores = await openStores(descriptions);
for (let i = 0; ; i++) {
  const content = randomBytes(i % 3 === 0 ? 6_000_000 : 20_000);
  const { objectId, key, reference } = await ingest([{ path: "x", content }], { stores });
  const words = [objectId, key, encodeReference(reference), content.subarray(0, 16)].map(toHex);
  writeSync(1, `${words.join(" ")}\n`); // on its way before the next import begins
}
