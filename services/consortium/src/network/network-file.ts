/**
 * What a local network consists of, in `network.json` of its data folder: its members, who of them runs a node, and on which ports of this
 * machine. Source: docs/guides/run-a-consortium.md.
 */
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { MEMBER_KINDS } from "@xinglin/contracts";
import { writeFileDurably } from "@xinglin/custody";
import { Fault, type Infer, memberId, schema } from "@xinglin/primitives";
import { CAST, type CastMember } from "../cast.ts";

const port = schema.uint(65_535, 1);
const networkMember = schema.object({
  id: memberId,
  kind: schema.oneOf(...MEMBER_KINDS),
  name: schema.object({ zh: schema.text(64), en: schema.text(128) }),
  stores: schema.uint(16),
  /** Whether a node of its own runs; a member without one uses another's. */
  hasNode: schema.bool,
  /** `store` is missing in folders from before stores were served: there they are reached as folders. */
  ports: schema.object({ api: port, node: port, custodian: port, store: schema.optional(port) }),
});
const networkFile = schema.object({
  type: schema.oneOf("xinglin-network/1"),
  members: schema.list(networkMember, 100, 1),
});
export type NetworkMember = Infer<typeof networkMember>;
export type NetworkFile = Infer<typeof networkFile>;

const fileOf = (data: string): string => join(data, "network.json");

/** Whether the folder holds a network. */
export const isNetwork = (data: string): boolean => existsSync(fileOf(data));

/** Throws `Fault("data_folder_unreadable")`. */
export function readNetworkFile(data: string): NetworkFile {
  try {
    return networkFile.parse(JSON.parse(readFileSync(fileOf(data), "utf8")));
  } catch (cause) {
    throw new Fault("data_folder_unreadable", { path: data }, { cause });
  }
}

export const writeNetworkFile = (data: string, content: NetworkFile): void =>
  writeFileDurably(fileOf(data), Buffer.from(`${JSON.stringify(content, undefined, 2)}\n`));

const PORTS_A_MEMBER = 4;
const NUMERALS = ["零", "一", "二", "三", "四", "五", "六", "七", "八", "九"];

/** The member at `index`: those of the cast, then further hospitals. */
function memberAt(index: number): CastMember {
  const known = CAST[index];
  if (known !== undefined) return known;
  const number = index - CAST.length + 4; // the cast has three hospitals of the city
  const numeral = [...String(number)].map((digit) => NUMERALS[Number(digit)]).join("");
  const name = { zh: `杏林市第${numeral}人民医院`, en: `Xinglin People's Hospital No. ${number}` };
  return { id: `hospital-${number}` as CastMember["id"], kind: "hospital", name, stores: 0 };
}

/** The members of a new network: the cast, and as many as are to have a node. `firstPort` 0: any that are free. */
export async function planMembers(nodes: number, firstPort: number): Promise<NetworkMember[]> {
  const count = Math.max(nodes, CAST.length);
  const ports = await portsFor(count * PORTS_A_MEMBER, firstPort);
  return Array.from({ length: count }, (_, i) => ({ ...memberAt(i), hasNode: i < nodes, ports: portsOf(ports, i) }));
}

/** The member that gets a node next: one that has none, or a new one. */
export async function nextMember({ members }: NetworkFile): Promise<NetworkMember> {
  const without = members.find(({ hasNode }) => !hasNode);
  if (without !== undefined) return { ...without, hasNode: true };
  const highest = Math.max(...members.flatMap(({ ports }) => Object.values(ports)));
  const ports = await portsFor(PORTS_A_MEMBER, highest + 1).catch(() => portsFor(PORTS_A_MEMBER, 0));
  return { ...memberAt(members.length), hasNode: true, ports: portsOf(ports, 0) };
}

const portsOf = (ports: readonly number[], i: number): NetworkMember["ports"] => {
  const [api, node, custodian, store] = ports.slice(PORTS_A_MEMBER * i) as [number, number, number, number];
  return { api, node, custodian, store };
};

/** Ports of this machine that nobody listens on. Throws `port_in_use`. */
async function portsFor(count: number, first: number): Promise<number[]> {
  const servers = Array.from({ length: count }, (_, i) => createServer().listen(first === 0 ? 0 : first + i, "127.0.0.1"));
  try {
    await Promise.all(
      servers.map((server, i) =>
        once(server, "listening").catch((cause: unknown) => {
          throw new Fault("port_in_use", { port: first + i }, { cause });
        }),
      ),
    );
    return servers.map((server) => (server.address() as AddressInfo).port);
  } finally {
    await Promise.all(servers.map((server) => new Promise<void>((resolve) => server.close(() => resolve()))));
  }
}
