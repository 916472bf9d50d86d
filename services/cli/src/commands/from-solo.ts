/** `xinglin network from-solo`: a solo node goes on as the first node of a network. Source: requirement F13. */
import { chainIdOf } from "@xinglin/contracts";
import {
  continuationFile,
  continueAsNetwork,
  createMemberKeys,
  nodeKey,
  readGenesis,
  readNodeConfig,
  writeNodeConfig,
} from "@xinglin/member";
import type { Command } from "../command.ts";
import { configOf, LISTENING_OPTIONS, nodeListening } from "./node.ts";

export const fromSolo: Command = {
  words: "network from-solo",
  options: { config: { type: "string" }, ...LISTENING_OPTIONS },
  async run(context) {
    const file = configOf(context);
    const config = readNodeConfig(file);
    createMemberKeys(context.data, config.member, { node: true });
    const side = { nodeKey: nodeKey(context.data, config.member), ...nodeListening(context) };
    const { config: next, continuation } = await continueAsNetwork(config, side);
    writeNodeConfig(file, next, { replace: true });
    context.tell("network.continued", {
      chain: chainIdOf(readGenesis(next)),
      height: continuation.initialHeight,
      genesis: next.genesis,
      continuation: continuationFile(next.genesis),
    });
  },
};
