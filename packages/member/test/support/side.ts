/** One member's node over real CometBFT, before its genesis is there: its keys, its card, and a configuration on ports of its own. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { freePorts } from "@xinglin/engines/testing";
import type { MemberId } from "@xinglin/primitives";
import type { NodeConfig } from "../../src/config/node-config.ts";
import { cardOf, createMemberKeys, type MemberCard } from "../../src/member-card.ts";
import { custodianKey, memberValidatorKey, nodeKey } from "../../src/member-folder.ts";

export interface Side {
  readonly config: NodeConfig;
  readonly card: MemberCard;
}

/** A hospital's, in a folder of its own below `folder`; `own` says what is its alone. */
export async function sideOf(
  folder: string,
  member: MemberId,
  own: Pick<NodeConfig, "stores"> & Partial<NodeConfig>,
): Promise<Side> {
  const data = join(folder, member);
  mkdirSync(data, { recursive: true });
  createMemberKeys(data, member, { node: true });
  const [node, api, custodian] = await freePorts(3);
  const addresses = { node: `127.0.0.1:${node}`, api: `http://localhost:${api}`, custodian: `http://127.0.0.1:${custodian}` };
  const card = await cardOf(data, { member, kind: "hospital", name: { zh: member, en: member } }, addresses);
  const config: NodeConfig = {
    type: "xinglin-node/1",
    member,
    genesis: join(folder, "genesis.cbor"),
    data,
    chain: {
      driver: "cometbft",
      validatorKey: memberValidatorKey(data, member),
      nodeKey: nodeKey(data, member),
      listen: `127.0.0.1:${node}`,
      peers: [],
      loopback: true,
    },
    api: { listen: `127.0.0.1:${api}` },
    custody: { key: custodianKey(data, member), listen: `127.0.0.1:${custodian}`, threshold: 1 },
    ...own,
  };
  return { config, card };
}
