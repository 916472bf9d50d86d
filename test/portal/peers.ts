/** Other members' nodes for the page's tests: one that is a real API over the same ledger, and one that can lie with the ledger's own key. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { type Api, createApi } from "@xinglin/api";
import type { Signer } from "@xinglin/crypto";
import type { ReadModel } from "@xinglin/index";
import type { Ledger } from "@xinglin/ledger";
import { decodeLightBlock, encodeLightBlock } from "@xinglin/verifier";
import { forge } from "@xinglin/verifier/testing";

export interface Peers {
  /** The honest one first. */
  readonly urls: readonly [string, string];
  /** From this height on the second shows another state, signed with `validator`; undefined makes it honest. */
  lieFrom(height: number | undefined): void;
  /** Takes the first away, and brings it back. */
  stopHonest(): Promise<void>;
  startHonest(): Promise<void>;
  close(): Promise<void>;
}

export async function openPeers(ledger: Ledger, index: ReadModel, validator: Signer, port: number): Promise<Peers> {
  let honest: Api | undefined;
  const startHonest = async (): Promise<void> => {
    honest = await createApi({ ledger, index, host: "127.0.0.1", port });
    await honest.listen();
  };
  const stopHonest = async (): Promise<void> => {
    await honest?.close();
    honest = undefined;
  };
  await startHonest();
  let from: number | undefined;
  const answer = async (asked: string | undefined): Promise<Uint8Array | undefined> => {
    const bytes = asked === "newest" ? ledger.newestLightBlock() : ledger.lightBlock(Number(asked));
    if (bytes === undefined) return undefined;
    const block = decodeLightBlock(bytes);
    if (from === undefined || block.header.height < from) return bytes;
    return encodeLightBlock(await forge(block, { appHash: new Uint8Array(32) }, [{ signer: validator, power: 1 }]));
  };
  const second = createServer((request, response) => {
    const asked = /^\/v1\/light-blocks\/(\w+)/.exec(request.url ?? "")?.[1];
    void answer(asked).then((bytes) => {
      response.setHeader("access-control-allow-origin", "*");
      if (bytes !== undefined) return response.end(bytes);
      response.writeHead(404, { "content-type": "application/problem+json" });
      response.end(JSON.stringify({ code: "height_unknown", facts: { height: ledger.height() } }));
    });
  });
  await new Promise<void>((resolve) => second.listen(0, "127.0.0.1", resolve));
  return {
    urls: [`http://localhost:${port}`, `http://localhost:${(second.address() as AddressInfo).port}`],
    lieFrom: (height) => {
      from = height;
    },
    startHonest,
    stopHonest,
    async close() {
      await stopHonest();
      second.closeAllConnections();
      await new Promise<void>((resolve) => second.close(() => resolve()));
    },
  };
}
