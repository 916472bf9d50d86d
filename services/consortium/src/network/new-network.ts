/**
 * A new local network: keys of every member, the genesis over the cards of all, and each node's configuration, as separate members would make them.
 * Source: design.md, "Ledger"; docs/guides/run-a-consortium.md.
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { nodeIdOf } from "@xinglin/cometbft";
import { CAPPED_FROM, CONSORTIUM_ELECTION } from "@xinglin/contracts";
import { writeFileDurably } from "@xinglin/custody";
import { readKeySeed } from "@xinglin/gateway";
import {
  administrationKey,
  cardOf,
  createMemberKeys,
  custodianKey,
  type MemberCard,
  memberValidatorKey,
  newGenesis,
  nodeKey,
  writeNodeConfig,
} from "@xinglin/member";
import { Fault, type UnixSeconds } from "@xinglin/primitives";
import { CUSTODY_THRESHOLD } from "../cast.ts";
import { genesisFile } from "../genesis.ts";
import { type NetworkFile, type NetworkMember, planMembers, writeNetworkFile } from "./network-file.ts";

/** Pages of so many nodes can be bound to passkeys: what the genesis has room for. */
const MOST_ORIGINS = 8;
/** A snapshot for those who join every so many blocks. */
const SNAPSHOT_BLOCKS = 500;

export const nodeFolder = (data: string, { id }: Pick<NetworkMember, "id">): string => join(data, "nodes", id);
export const nodeConfigFile = (data: string, member: Pick<NetworkMember, "id">): string =>
  join(nodeFolder(data, member), "node.yaml");
export const pageOf = ({ ports }: NetworkMember): string => `http://localhost:${ports.api}`;
/** Where a member's node serves its stores. */
export const storeUrl = (port: number): string => `http://127.0.0.1:${port}`;
/** Whether a member's stores are reached through its node; others' are folders of this machine. */
export const isServed = ({ hasNode, ports }: NetworkMember): boolean => hasNode && ports.store !== undefined;
export const custodianUrl = ({ ports }: NetworkMember): string => `http://127.0.0.1:${ports.custodian}`;

/** Makes the network in an empty folder; `network.json` is written last, so a folder without it counts as empty. */
export async function createNetwork(data: string, nodes: number, firstPort: number): Promise<NetworkFile> {
  mkdirSync(data, { recursive: true, mode: 0o700 });
  const members = await planMembers(nodes, firstPort);
  const cards: MemberCard[] = [];
  for (const member of members) cards.push(await cardOfMember(data, member));
  const seats = cards.slice(0, nodes);
  const genesis = newGenesis(cards, {
    name: "xinglin",
    time: Math.floor(Date.now() / 1000) as UnixSeconds,
    validators: seats.map(({ member, validator }) => {
      if (validator === undefined) throw new Fault("genesis_invalid", { reason: "no_validator" });
      return { member, publicKey: validator };
    }),
    election: nodes < CAPPED_FROM ? { ...CONSORTIUM_ELECTION, minSeats: 1 } : CONSORTIUM_ELECTION,
    // Passkeys need a domain name: the pages are at `localhost`, never at an address.
    page: { domain: "localhost", origins: members.slice(0, Math.min(nodes, MOST_ORIGINS)).map(pageOf) },
  });
  const network: NetworkFile = { type: "xinglin-network/1", members };
  writeFileDurably(genesisFile(data), genesis);
  writeNetworkFile(data, network);
  return network;
}

/** A member's card; makes its keys if there are none. */
export async function cardOfMember(data: string, member: NetworkMember): Promise<MemberCard> {
  const { id, kind, name } = member;
  createMemberKeys(data, id, { node: member.hasNode });
  const addresses = { node: `127.0.0.1:${member.ports.node}`, api: pageOf(member), custodian: custodianUrl(member) };
  return cardOf(data, { member: id, kind, name }, addresses);
}

/** Writes the configuration of a member's node, with the members as they are now for its peers. */
export function writeNodeFile(data: string, { members }: NetworkFile, member: NetworkMember): void {
  const folder = nodeFolder(data, member);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const others = members.filter(({ id }) => id !== member.id);
  const { id, ports } = member;
  const config = {
    type: "xinglin-node/1",
    member: id,
    genesis: genesisFile(data),
    data: folder,
    chain: {
      driver: "cometbft",
      validatorKey: memberValidatorKey(data, id),
      nodeKey: nodeKey(data, id),
      listen: `127.0.0.1:${ports.node}`,
      peers: others
        .filter(({ hasNode }) => hasNode)
        .map((other) => ({ id: nodeIdOf(readKeySeed(nodeKey(data, other.id))), address: `127.0.0.1:${other.ports.node}` })),
      loopback: true,
      snapshotBlocks: SNAPSHOT_BLOCKS,
    },
    api: { listen: `127.0.0.1:${ports.api}`, witnesses: others.filter(({ hasNode }) => hasNode).map(pageOf) },
    custody: {
      key: custodianKey(data, id),
      listen: `127.0.0.1:${ports.custodian}`,
      threshold: CUSTODY_THRESHOLD,
      others: others.map((other) => ({ member: other.id, url: custodianUrl(other) })),
    },
    probing: {
      key: administrationKey(data, id),
      peers: others.filter(({ hasNode }) => hasNode).map((other) => ({ member: other.id, url: pageOf(other) })),
    },
    stores: storesOfMembers(data, isServed(member) ? [member] : members),
    ...(ports.store === undefined ? {} : { archive: { listen: `127.0.0.1:${ports.store}`, url: storeUrl(ports.store) } }),
  } as const;
  writeNodeConfig(nodeConfigFile(data, member), config as never, { replace: true });
}

/** Store folders of all members. */
export const storesOfMembers = (data: string, members: readonly NetworkMember[]) =>
  members.flatMap(({ id, stores }) =>
    Array.from({ length: stores }, (_, i) => ({
      kind: "directory" as const,
      id: `${id}-${i + 1}`,
      member: id,
      path: join(data, "stores", `${id}-${i + 1}`),
    })),
  );
