/** The store in an IPFS node, on real nodes. */
import { rm } from "node:fs/promises";
import { after, before, describe } from "node:test";
import type { IpfsNode } from "@xinglin/engines";
import { describeStore } from "../../src/store/contract.ts";
import type { IpfsDescription } from "../../src/store/description.ts";
import { IpfsStore } from "../../src/store/ipfs.ts";
import { findNode, IpfsNodes } from "../support/ipfs-nodes.ts";

const found = await findNode();
const skip = "missing" in found ? found.missing : false;

describe("IPFS stores on a real node", { skip }, () => {
  let nodes: IpfsNodes;
  let node: IpfsNode;
  let count = 0;
  before(async () => {
    nodes = await IpfsNodes.open((found as { path: string }).path);
    node = await nodes.start("one");
  });
  after(() => nodes.end());
  const fresh = (more: Partial<IpfsDescription> = {}): IpfsDescription => ({
    kind: "ipfs",
    id: `one-${count++}`,
    member: "a",
    api: node.api,
    ...more,
  });

  describeStore("ipfs", async () => {
    const description = fresh();
    const store = new IpfsStore(description);
    await store.create();
    return {
      store,
      reopen: () => new IpfsStore(description),
      // The node is another one: the disk that it had is not there.
      vanish: async () => {
        const port = new URL(node.api).port;
        await nodes.kill("one");
        await rm(nodes.folderOf("one"), { recursive: true });
        node = await nodes.start("one", { api: `127.0.0.1:${port}` });
      },
      dispose: async () => {},
    };
  });
});
