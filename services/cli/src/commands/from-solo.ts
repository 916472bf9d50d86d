/** `xinglin network from-solo`: a solo node, or all members of `npm start`, go on as nodes of a network. Source: requirement F13. */
import { dirname } from "node:path";
import { chainIdOf } from "@xinglin/contracts";
import {
  continuationFile,
  continueAsNetwork,
  createMemberKeys,
  divideConsortium,
  isConsortiumFolder,
  isDivided,
  nodeKey,
  readGenesis,
  readNodeConfig,
  writeNodeConfig,
} from "@xinglin/member";
import { Fault } from "@xinglin/primitives";
import type { Command, Context } from "../command.ts";
import { configOf, LISTENING_OPTIONS, nodeListening } from "./node.ts";

export const fromSolo: Command = {
  words: "network from-solo",
  options: { config: { type: "string" }, ...LISTENING_OPTIONS, "api-port": { type: "string" } },
  async run(context) {
    if (context.text("config") === undefined && isConsortiumFolder(context.data)) return divide(context);
    if (context.text("config") === undefined && isDivided(context.data))
      throw new Fault("folder_divided", { path: context.data });
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

/** The folder of `npm start`: a node's folder for each member comes of it. */
async function divide({ data, text, number, tell, say, json }: Context): Promise<void> {
  const port = text("api-port") === undefined ? {} : { firstPort: number("api-port", 0) };
  const { chainId, continuation, nodes } = await divideConsortium(data, port);
  const [seat] = nodes;
  tell("network.divided", {
    chain: chainId,
    height: continuation.initialHeight,
    members: nodes.length,
    seat: seat?.member ?? "-",
  });
  if (json) return;
  for (const { member, config, page } of nodes) say.plain("network.divided_node", { member, config, page });
  say.plain("network.divided_next", { seat: seat?.member ?? "-", folder: dirname(seat?.config ?? data) });
}
