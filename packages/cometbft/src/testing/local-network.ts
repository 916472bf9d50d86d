/**
 * A consortium on this machine's loopback ports: the Node side of every node in this process, each with its own CometBFT. For tests, for trying
 * things out, and for measuring what does not need processes of their own.
 * Source: the fault tests; docs/internals/cometbft.md.
 */
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { freePorts } from "@xinglin/engines/testing";
import { type Bytes, Fault } from "@xinglin/primitives";
import { nodeIdOf } from "../home/keys.ts";
import { type CometbftLedger, type CometbftLedgerOptions, openCometbftLedger } from "../open.ts";
import { openRelay, type Relay } from "./relay.ts";

/** What `localNetwork` needs. */
export interface LocalNetworkOptions {
  /** Absolute path of CometBFT. */
  readonly binary: string;
  /** Each node has a folder in it. */
  readonly directory: string;
  readonly genesis: Bytes;
  /** Seeds of the nodes' Ed25519 keys; of validators where the genesis says so. */
  readonly seeds: readonly Bytes[];
  /** Whether nodes can be parted; all traffic between them passes through this process then. */
  readonly canPart?: boolean;
  /** What node `index` is told beside the usual. */
  readonly optionsOf?: (index: number) => Partial<CometbftLedgerOptions>;
}

/** One node of the network: its ledger, and what can be done to it. */
export interface LocalNode {
  readonly directory: string;
  readonly options: CometbftLedgerOptions;
  /** Throws `Fault("ledger_unavailable")` while the node is stopped. */
  readonly ledger: CometbftLedger;
  /** Kills CometBFT as a crash would; it is started again by itself. */
  killEngine(): void;
  /** Stops the node. */
  stop(): Promise<void>;
  /** Starts it again in its folder. */
  start(): Promise<CometbftLedger>;
}

/** A network that runs. */
export interface LocalNetwork {
  readonly nodes: readonly LocalNode[];
  /** Parts the nodes with these indexes from all others. Needs `canPart`. */
  part(indexes: readonly number[]): void;
  /** All reach all again. */
  heal(): void;
  stop(): Promise<void>;
}

/** Starts all nodes; the chain's first state is provable on each when this resolves. Rejects as `openCometbftLedger` does. */
export async function localNetwork(options: LocalNetworkOptions): Promise<LocalNetwork> {
  const { seeds, canPart = false } = options;
  const ports = await freePorts(seeds.length);
  const nodeSeeds = seeds.map(() => new Uint8Array(randomBytes(32)));
  const relays = canPart ? await openRelays(ports) : [];
  // One line for each pair of nodes: the one with the lower index dials.
  const addressOf = (from: number, to: number): string => relayOf(relays, from, to)?.address ?? `127.0.0.1:${ports[to]}`;
  const nodes = seeds.map((validatorSeed, index) => {
    const peers = nodeSeeds.flatMap((seed, other) =>
      other > index ? [{ id: nodeIdOf(seed), address: addressOf(index, other) }] : [],
    );
    const directory = join(options.directory, `node-${index}`);
    return localNode({
      binary: options.binary,
      directory,
      genesis: options.genesis,
      validatorSeed,
      nodeSeed: nodeSeeds[index]!,
      moniker: `node-${index}`,
      p2p: { listen: `127.0.0.1:${ports[index]}`, peers, admit: nodeSeeds.map(nodeIdOf), loopback: true },
      ...options.optionsOf?.(index),
    });
  });
  const stop = async (): Promise<void> => {
    await Promise.allSettled(nodes.map((node) => node.stop()));
    await Promise.all(relays.map(({ relay }) => relay.close()));
  };
  try {
    await Promise.all(nodes.map((node) => node.start()));
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    nodes,
    part: (indexes) => {
      for (const { from, to, relay } of relays) if (indexes.includes(from) !== indexes.includes(to)) relay.cut();
    },
    heal: () => {
      for (const { relay } of relays) relay.heal();
    },
    stop,
  };
}

function localNode(options: CometbftLedgerOptions): LocalNode {
  let open: CometbftLedger | undefined;
  let starting: Promise<CometbftLedger> | undefined;
  return {
    directory: options.directory,
    options,
    get ledger() {
      if (open === undefined) throw new Fault("ledger_unavailable");
      return open;
    },
    killEngine: () => open?.engine.kill(),
    start: async () => {
      starting = openCometbftLedger(options);
      open = await starting;
      return open;
    },
    stop: async () => {
      const started = await starting?.catch(() => undefined);
      open = undefined;
      starting = undefined;
      await started?.close();
    },
  };
}

interface Line {
  readonly from: number;
  readonly to: number;
  readonly relay: Relay;
}
const relayOf = (lines: readonly Line[], from: number, to: number): Relay | undefined =>
  lines.find((line) => line.from === from && line.to === to)?.relay;

async function openRelays(ports: readonly number[]): Promise<Line[]> {
  const pairs = ports.flatMap((_, from) => ports.flatMap((port, to) => (to > from ? [{ from, to, port }] : [])));
  return Promise.all(pairs.map(async ({ from, to, port }) => ({ from, to, relay: await openRelay(port) })));
}
