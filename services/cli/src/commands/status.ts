/** `xinglin status`: whether the ledger runs and how far it is. */
import { shanghaiTime } from "@xinglin/gateway";
import type { Command } from "../command.ts";

export const status: Command = {
  words: "status",
  options: {},
  async run({ gateway, say, json, print }) {
    const answer = (await gateway().client.getJson("/v1/status")) as {
      chainId: string;
      height: number;
      provableHeight: number;
      newestBlockTime: number;
    };
    if (json) print(answer);
    else
      say.plain("status.line", {
        chain: answer.chainId,
        height: answer.height,
        provable: answer.provableHeight,
        time: shanghaiTime(answer.newestBlockTime),
      });
  },
};
