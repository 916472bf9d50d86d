/** What a node's configuration says of probing, put to work. Source: docs/internals/validators.md, "Probes". */
import { type KeyOfFile, readKeyFile } from "@xinglin/gateway";
import type { Ledger } from "@xinglin/ledger";
import { type Bytes, Fault } from "@xinglin/primitives";
import type { NodeConfig } from "../config/node-config.ts";
import { signStatement } from "./node-statement.ts";
import { type ProbeNotice, Prober } from "./prober.ts";

/** The key that signs probes, if the node has one. Throws as `readKeyFile`, and `key_file_unreadable` for the key of another member. */
export function probingKey({ member, probing }: NodeConfig): KeyOfFile | undefined {
  if (probing?.key === undefined) return undefined;
  const key = readKeyFile(probing.key);
  if (key.member !== member) throw new Fault("key_file_unreadable", { path: probing.key });
  return key;
}

/**
 * Answers peers that ask how this node is. Signed by the key that signs probes, or else by the custodian's, which every node has. Throws as `readKeyFile`.
 */
export function statementsOf(
  config: NodeConfig,
  chain: string,
  facts: () => Promise<{ readonly freeMegabytes: number }>,
): (nonce: Bytes) => Promise<Bytes> {
  const by = probingKey(config) ?? readKeyFile(config.custody.key);
  return async (nonce) => signStatement(by, { chain, nonce, freeMegabytes: (await facts()).freeMegabytes });
}

/** Starts probing the peers that the configuration names; undefined without a key, without peers, or on a chain of this node alone. */
export function probePeers(config: NodeConfig, ledger: Ledger, onNotice?: (notice: ProbeNotice) => void): Prober | undefined {
  const by = probingKey(config);
  const { key: _, peers = [], ...bounds } = config.probing ?? {};
  if (by === undefined || peers.length === 0 || config.chain.driver === "solo") return undefined;
  return new Prober({ ledger, by, peers, ...bounds, ...(onNotice === undefined ? {} : { onNotice }) });
}
