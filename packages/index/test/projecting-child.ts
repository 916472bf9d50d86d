/** The process that `crash.test.ts` kills: projects a long chain and says so once two batches are written. */
import { ReadModel } from "../src/read-model.ts";
import type { FeedItem } from "../src/source.ts";
import type { StoreLocation } from "../src/store/open.ts";
import { A, hashOf, TestChain } from "./chain-fixture.ts";

class Talkative extends TestChain {
  override async read(from: number, limit: number): Promise<readonly FeedItem[]> {
    if (from >= 1_000) process.stdout.write(".");
    return super.read(from, limit);
  }
}

const chain = new Talkative();
const entries = Number(process.env.XINGLIN_TEST_ENTRIES);
for (let i = 0; i < entries; i++) chain.submit(A, { op: "anchorBatch", root: hashOf(`killed ${i}`), count: 1 });
const location = JSON.parse(process.env.XINGLIN_TEST_LOCATION ?? "") as StoreLocation;
const model = await ReadModel.open({ location, source: chain });
await model.catchUp();
// Only reached if nobody killed it: then the test fails on what it finds.
await model.close();
