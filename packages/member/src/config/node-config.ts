/**
 * What the configuration file of a node may say. Secrets never stand in it, only paths to files that their owner alone can read.
 * Source: docs/guides/run-a-consortium.md.
 */
import { profileName, storeDescription } from "@xinglin/archive";
import { type Infer, memberId, type Schema, schema } from "@xinglin/primitives";

const MAX_PEERS = 128;
const MAX_STORES = 256;

/** A path, relative to the folder of the configuration file. */
const path = schema.text(4_096);
/** Host and port; an IPv6 host in brackets. */
const address = schema.text(262, /^(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+):\d{1,5}$/);
const webAddress = schema.text(256, /^https?:\/\/[^/\s]+$/);
const hash = schema.text(64, /^[0-9a-f]{64}$/, 64);

const peer = schema.object({ id: schema.text(40, /^[0-9a-f]{40}$/), address });

const solo = schema.object({ validatorKey: path });
const cometbft = schema.object({
  /** Missing in a node that only follows. */
  validatorKey: schema.optional(path),
  nodeKey: path,
  listen: address,
  announce: schema.optional(address),
  peers: schema.list(peer, MAX_PEERS),
  /** Ids of nodes that are let in beside members' and peers', such as this member's own sentry. */
  admit: schema.optional(schema.list(schema.text(40, /^[0-9a-f]{40}$/), MAX_PEERS)),
  /** All peers are on this machine. */
  loopback: schema.optional(schema.bool),
  /** Where others that join by a snapshot may ask for headers. */
  rpc: schema.optional(address),
  snapshotBlocks: schema.optional(schema.uint(1_000_000)),
  keepBlocks: schema.optional(schema.uint(1_000_000_000)),
  stateSync: schema.optional(schema.object({ servers: schema.list(webAddress, 16, 2), height: schema.uint(), hash })),
});

/** The whole file. */
export const nodeConfigShape = schema.object({
  type: schema.oneOf("xinglin-node/1"),
  member: memberId,
  /** The chain that is meant, learnt from somebody who is trusted: another genesis is refused. */
  chainId: schema.optional(schema.text(50)),
  genesis: path,
  data: path,
  chain: schema.variant("driver", { solo, cometbft }),
  api: schema.object({
    listen: address,
    names: schema.optional(schema.list(schema.text(253), 16)),
    certificate: schema.optional(path),
    privateKey: schema.optional(path),
    witnesses: schema.optional(schema.list(webAddress, 32)),
  }),
  custody: schema.object({
    key: path,
    listen: address,
    threshold: schema.uint(16, 1),
    others: schema.optional(schema.list(schema.object({ member: memberId, url: webAddress }), 64)),
  }),
  /** How this node looks at the other members' nodes; it does not without a key. */
  probing: schema.optional(
    schema.object({
      /** Of this member's administration, or of a device of it. */
      key: schema.optional(path),
      peers: schema.optional(schema.list(schema.object({ member: memberId, url: webAddress }), MAX_PEERS)),
      rounds: schema.optional(schema.uint(64, 2)),
      megabytes: schema.optional(schema.uint(1_000, 1)),
      timeoutMs: schema.optional(schema.uint(60_000, 100)),
    }),
  ),
  /** The stores of this member; others' stand on the chain. */
  stores: schema.list(storeDescription, MAX_STORES),
  /** How this member's stores are served to the others; they are not without it. */
  archive: schema.optional(
    schema.object({
      listen: address,
      /** Where other members reach it: what the chain says. */
      url: webAddress,
      memberQuotaMegabytes: schema.optional(schema.uint(1_000_000_000, 1)),
    }),
  ),
  /** What this member seals with from now on; `standard` unless said. */
  archiveProfile: schema.optional(profileName),
  /** How this node looks after the archive; with the defaults without it. */
  keeping: schema.optional(
    schema.object({
      off: schema.optional(schema.bool),
      /** Of this member's administration, or of a device of it. */
      key: schema.optional(path),
      everyMinutes: schema.optional(schema.uint(43_200, 1)),
      sample: schema.optional(schema.uint(10_000, 1)),
      repairSpare: schema.optional(schema.uint(32)),
      alarmSpare: schema.optional(schema.uint(32)),
      percent: schema.optional(schema.uint(100, 1)),
      goneHours: schema.optional(schema.uint(8_760)),
      stepInHours: schema.optional(schema.uint(8_760)),
      keepDays: schema.optional(schema.uint(36_500, 1)),
    }),
  ),
  databaseUrlFile: schema.optional(path),
}) satisfies Schema<unknown>;

/** A node's configuration as it stands in the file; paths are absolute once it was read. */
export type NodeConfig = Infer<typeof nodeConfigShape>;
/** The part on how the chain is made. */
export type ChainConfig = NodeConfig["chain"];
