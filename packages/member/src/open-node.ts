/**
 * A member's node: everything that its configuration names, opened in order, or nothing at all.
 * Source: design.md, "Packages" (`services/node`).
 */
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { openStore } from "@xinglin/archive";
import { type AuditEntry, chainIdOf } from "@xinglin/contracts";
import { remoteCustodian, serveCustodian } from "@xinglin/custody";
import { requireOwnerOnly, writeConsortiumFile } from "@xinglin/gateway";
import type { ReadModel, StoreLocation } from "@xinglin/index";
import type { Ledger } from "@xinglin/ledger";
import { cbor, Fault } from "@xinglin/primitives";
import type { NodeConfig } from "./config/node-config.ts";
import { custodianHere } from "./custodian-here.ts";
import { eraseEndedObjects } from "./erase-ended.ts";
import { keepArchive } from "./keeping/keep-archive.ts";
import type { ArchiveNotice, Keeper } from "./keeping/keeper.ts";
import { lendStores } from "./lending/lend-stores.ts";
import { listeningAddress, requirePort, requireWebAddress } from "./listening.ts";
import { custodianId } from "./member-folder.ts";
import { nodeFacts } from "./node-facts.ts";
import { type ChainNotice, type ChainOptions, openChain, readGenesis } from "./open-chain.ts";
import { type OpenMember, openMember } from "./open-member.ts";
import { probePeers, statementsOf } from "./probing/probe-peers.ts";
import type { ProbeNotice } from "./probing/prober.ts";
import { prepareStores } from "./stores.ts";
import { type StoreNotice, watchStores } from "./watch-stores.ts";

/** What an operator should know of a node that runs. */
export type MemberNotice = ChainNotice | ProbeNotice | StoreNotice | ArchiveNotice;

/** A node that serves. */
export interface OpenNode extends OpenMember {
  /** Objects that no anchor names, left by an interrupted import, removed at start. */
  readonly orphans: number;
  /** Packs and shares of ended records that were here again, or still, and are erased. */
  readonly erased: { readonly packs: number; readonly shares: number };
  /** Where its store service listens, if it lends. */
  readonly storePort?: number;
  /** Looks now, not at the next turn, which own stores are there; one that is back is served once what ended meanwhile is erased. */
  lookAtStores(): Promise<void>;
  /** Looks after the archive now, not when its turn comes: a round, its repairs and its record. Nothing happens where that is switched off. */
  lookAtArchive(): Promise<void>;
}

/** What a node's program wants to hear of it, and how it breaks off a start. */
export interface NodeOptions extends Pick<ChainOptions, "signal"> {
  readonly onNotice?: (notice: MemberNotice) => void;
}

/** Rejects with the faults of the parts, or the reason of `signal`; nothing stays open then. */
export async function openNode(config: NodeConfig, options: NodeOptions = {}): Promise<OpenNode> {
  const { api, custody, data, member } = config;
  const tls = certificate(config);
  const chainId = chainIdOf(readGenesis(config));
  await requireWebAddress(listeningAddress(api.listen), tls !== undefined);
  await requirePort(listeningAddress(custody.listen));
  if (config.archive !== undefined) await requireWebAddress(listeningAddress(config.archive.listen), tls !== undefined);
  const database = databaseOf(config);
  mkdirSync(data, { recursive: true, mode: 0o700 });
  const closing: (() => Promise<void>)[] = [];
  const close = async (): Promise<void> => {
    for (const step of closing.splice(0).reverse()) await step();
  };
  try {
    let needed = (): number => 0;
    const ledger = await openChain(config, { ...options, neededFrom: () => needed() });
    closing.push(() => ledger.close());
    const all = config.stores.map(openStore);
    const own = all.filter((store) => store.member === member);
    const { orphans, away } = await prepareStores(data, { own, all }, ledger);
    let keeper: Keeper | undefined;
    const facts = nodeFacts(config, ledger, () => keeper?.report);
    const opened = await openMember({
      ledger,
      database,
      api: {
        ...listeningAddress(api.listen),
        node: facts,
        nodeStatement: statementsOf(config, chainId, facts),
        search: { member, nodes: config.probing?.peers ?? [] },
        archiveReport: () => keeper?.report,
        ...(tls === undefined ? {} : { tls }),
        ...(api.names === undefined ? {} : { hostNames: api.names }),
        ...(api.witnesses === undefined ? {} : { peers: api.witnesses }),
      },
    });
    closing.push(() => opened.close());
    const chain = { ledger, index: opened.index };
    const packs = await eraseEndedObjects(
      chain,
      own.filter(({ id }) => !away.has(id)),
    );
    const lending = await lendStores(config, chain, { away: [...away.keys()], ...(tls === undefined ? {} : { tls }) });
    closing.push(async () => lending?.close());
    const watch = watchStores({
      stores: own,
      away,
      erase: (store) => eraseEndedObjects(chain, [store]),
      onAway: (ids) => lending?.setAway(ids),
      ...(options.onNotice === undefined ? {} : { onNotice: options.onNotice }),
    });
    closing.push(() => watch.close());
    const prober = probePeers(config, ledger, options.onNotice);
    closing.push(async () => prober?.close());
    needed = () => oldestNeeded(ledger, opened.index);
    const custodian = custodianHere(ledger, { keyFile: custody.key, shares: join(data, "custodians", member) });
    const shares = await custodian.eraseEnded((key) => ledger.get(key));
    opened.custodians.set(custodianId(member), custodian);
    for (const other of custody.others ?? []) opened.custodians.set(custodianId(other.member), remoteCustodian(other.url));
    const server = await serveCustodian(custodian, listeningAddress(custody.listen));
    closing.push(async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    });
    keeper = keepArchive(config, chain, options.onNotice);
    closing.push(async () => keeper?.close());
    writeConsortiumFile(data, {
      type: "xinglin-consortium/1",
      chainId,
      url: opened.url,
      threshold: custody.threshold,
      stores: config.stores,
      ...(config.archiveProfile === undefined ? {} : { profile: config.archiveProfile }),
    });
    return {
      ...opened,
      orphans,
      erased: { packs, shares },
      lookAtStores: () => watch.look(),
      lookAtArchive: async () => keeper?.look(),
      ...(lending === undefined ? {} : { storePort: lending.port }),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Height of the block with the oldest entry that is not projected yet. */
function oldestNeeded(ledger: Ledger, index: ReadModel): number {
  for (const { entry } of ledger.entries(index.sequence, 1)) return (cbor.decodeTrusted(entry) as AuditEntry).height;
  return ledger.height();
}

function certificate({ api }: NodeConfig): { cert: Buffer; key: Buffer } | undefined {
  if (api.certificate === undefined || api.privateKey === undefined) return undefined;
  requireOwnerOnly(api.privateKey);
  return { cert: contentOf(api.certificate), key: contentOf(api.privateKey) };
}

function databaseOf({ data, databaseUrlFile }: NodeConfig): StoreLocation {
  if (databaseUrlFile === undefined) return { kind: "embedded", folder: join(data, "index") };
  requireOwnerOnly(databaseUrlFile);
  return { kind: "postgres", url: contentOf(databaseUrlFile).toString("utf8").trim() };
}

function contentOf(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new Fault("file_missing", { path }, { cause });
  }
}
