/**
 * From one machine to several: the folder of `npm start`, in which one process plays all members over a solo ledger, divided into a node's folder for
 * each member. The chain goes on with the same id, state, log and blocks; each member takes its keys, its custodian's shares and its stores along.
 *
 * Nothing is copied but the ledger, which each node has: shares and keys are moved, so that what is erased later is not still there in a second place. Each
 * step is a rename or may be done twice; the validator's own part is the last one, and its key the very last: until then the whole may be done again.
 * Source: requirement F13; docs/guides/run-a-consortium.md, "From one hospital to several".
 */
import { copyFileSync, cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { COMETBFT, type Continuation } from "@xinglin/cometbft";
import { chainIdOf, decodeGenesis, type Genesis } from "@xinglin/contracts";
import { writeFileDurably } from "@xinglin/custody";
import { type ConsortiumFile, readConsortiumFile, readValidatorKey } from "@xinglin/gateway";
import { Fault, type MemberId } from "@xinglin/primitives";
import type { NodeConfig } from "./config/node-config.ts";
import { writeNodeConfig } from "./config/write-config.ts";
import { continuationFile } from "./continuation.ts";
import { handOverOnce } from "./from-solo.ts";
import { withMembers } from "./join.ts";
import { cardOf, createMemberKeys, type MemberCard, writeCard } from "./member-card.ts";
import { administrationKey, custodianKey, memberFolder, memberValidatorKey, nodeKey, soloValidatorKey } from "./member-folder.ts";
import { ledgerFolder, readGenesis } from "./open-chain.ts";

const SNAPSHOT_BLOCKS = 1_000;
/** Ports of a member: API and page, node, custodian. */
const PORTS_A_MEMBER = 3;
const LOOPBACK = "127.0.0.1";

/** A chain that goes on as a network, with a node's folder for each member. */
export interface DividedConsortium {
  readonly chainId: string;
  readonly continuation: Continuation;
  /** The one that holds the seat is the first: without it there is no block. */
  readonly nodes: readonly { readonly member: MemberId; readonly config: string; readonly card: string; readonly page: string }[];
}

/** Whether a folder is one of `npm start`, divided or being divided or not. */
export const isConsortiumFolder = (data: string): boolean =>
  existsSync(genesisOf(data)) && existsSync(soloValidatorKey(data)) && !existsSync(join(data, "node.yaml"));

/** Whether a folder was one of `npm start` and is divided. */
export const isDivided = (data: string): boolean => existsSync(genesisOf(data)) && existsSync(nodesFolder(data));

const genesisOf = (data: string): string => join(data, "genesis.cbor");
const nodesFolder = (data: string): string => join(data, "nodes");
const folderOf = (data: string, member: MemberId): string => join(nodesFolder(data), member);

/**
 * Divides the stopped consortium in `data`; nodes listen on this machine, on ports from `firstPort` on, by default that of its page. What was interrupted goes on. Rejects with
 * `ledger_locked` while it runs, `not_solo` for another folder, `data_folder_unreadable`, `key_file_unreadable`, and as `openLedger`.
 */
export async function divideConsortium(data: string, options: { readonly firstPort?: number } = {}): Promise<DividedConsortium> {
  if (!isConsortiumFolder(data)) throw new Fault("not_solo", { driver: COMETBFT });
  const path = genesisOf(data);
  const bytes = readGenesis({ genesis: path });
  const genesis = decodeGenesis(bytes);
  const file = readConsortiumFile(data);
  const validator = readValidatorKey(soloValidatorKey(data));
  const seated = genesis.validators[0]?.member as MemberId;
  const continuation = await handOverOnce({ data, genesis: path, validator });
  // The one with the seat first, for ports and in what is told; last in what is done.
  const members = [seated, ...genesis.members.map(({ id }) => id).filter((id) => id !== seated)];
  const { firstPort = Number(new URL(file.url).port) } = options;
  const chainId = chainIdOf(bytes);
  const parts = members.map((member, i) => partOf(data, member, firstPort + PORTS_A_MEMBER * i));
  for (const part of parts) takeAlong(data, part, file, part.member === seated);
  const cards = await Promise.all(parts.map((part) => cardOfPart(part, genesis, chainId)));
  for (const [i, part] of parts.entries()) {
    writeCard(part.card, cards[i] as MemberCard);
    writeNodeConfig(part.config, withMembers(configOf(part, { chainId, file, data }), cards), { replace: true });
  }
  for (const { member, folder } of parts.slice(1)) copyLedger(data, folder, member);
  finish(data, parts[0] as Part);
  return { chainId, continuation, nodes: parts.map(({ member, config, card, page }) => ({ member, config, card, page })) };
}

interface Part {
  readonly member: MemberId;
  readonly folder: string;
  readonly config: string;
  readonly card: string;
  readonly page: string;
  readonly ports: { readonly api: number; readonly node: number; readonly custodian: number };
}

function partOf(data: string, member: MemberId, port: number): Part {
  const folder = folderOf(data, member);
  return {
    member,
    folder,
    config: join(folder, "node.yaml"),
    card: join(folder, `${member}.card.json`),
    page: `http://localhost:${port}`,
    ports: { api: port, node: port + 1, custodian: port + 2 },
  };
}

/** Moves a member's keys, shares and stores into its folder, and gives it what all have. */
function takeAlong(data: string, { member, folder }: Part, { stores }: ConsortiumFile, isSeated: boolean): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const genesis = genesisOf(folder);
  writeFileDurably(genesis, readFileSync(genesisOf(data)));
  writeFileDurably(continuationFile(genesis), readFileSync(continuationFile(genesisOf(data))));
  move(memberFolder(data, member), memberFolder(folder, member));
  move(join(data, "custodians", member), join(folder, "custodians", member));
  for (const store of stores)
    if (store.kind === "directory" && store.member === member) move(store.path, storePath(data, member, store.id));
  // The seat's key goes by copy, and from its old place when everything else is done.
  const seat = memberValidatorKey(folder, member);
  if (isSeated && !existsSync(seat)) copyFileSync(soloValidatorKey(data), seat);
  createMemberKeys(folder, member, { node: true });
}

const storePath = (data: string, member: MemberId, id: string): string => join(folderOf(data, member), "stores", id);

function move(from: string, to: string): void {
  if (!existsSync(from) || from === to) return;
  mkdirSync(dirname(to), { recursive: true, mode: 0o700 });
  renameSync(from, to);
}

function cardOfPart({ member, folder, page, ports }: Part, { members }: Genesis, chainId: string): Promise<MemberCard> {
  const { kind, name } = (members.find(({ id }) => id === member) as Genesis["members"][number]).member;
  const addresses = { node: `${LOOPBACK}:${ports.node}`, api: page, custodian: `http://${LOOPBACK}:${ports.custodian}` };
  return cardOf(folder, { member, kind, name }, addresses, chainId);
}

function configOf(
  { member, folder, ports }: Part,
  { chainId, file, data }: { readonly chainId: string; readonly file: ConsortiumFile; readonly data: string },
): NodeConfig {
  return {
    type: "xinglin-node/1",
    member,
    chainId,
    genesis: genesisOf(folder),
    data: folder,
    chain: {
      driver: "cometbft",
      validatorKey: memberValidatorKey(folder, member),
      nodeKey: nodeKey(folder, member),
      listen: `${LOOPBACK}:${ports.node}`,
      peers: [],
      loopback: true,
      snapshotBlocks: SNAPSHOT_BLOCKS,
    },
    api: { listen: `${LOOPBACK}:${ports.api}` },
    custody: {
      key: custodianKey(folder, member),
      listen: `${LOOPBACK}:${ports.custodian}`,
      threshold: file.threshold,
    },
    probing: { key: administrationKey(folder, member) },
    stores: file.stores.map((store) =>
      store.kind === "directory" ? { ...store, path: storePath(data, store.member as MemberId, store.id) } : store,
    ),
  };
}

/** Under another name first: a copy that was broken off is made anew. */
function copyLedger(data: string, folder: string, member: MemberId): void {
  const target = ledgerFolder(folder);
  if (existsSync(target)) return;
  const partial = join(folder, `ledger.${member}.partial`);
  rmSync(partial, { recursive: true, force: true });
  cpSync(ledgerFolder(data), partial, { recursive: true });
  renameSync(partial, target);
}

/** The seat's own part: it makes the blocks, so it takes the ledger itself, and the note of imports that were interrupted. */
function finish(data: string, { folder }: Part): void {
  move(join(data, "imports"), join(folder, "imports"));
  move(ledgerFolder(data), ledgerFolder(folder));
  // Read models are built from the ledger.
  rmSync(join(data, "index"), { recursive: true, force: true });
  rmSync(soloValidatorKey(data));
}
