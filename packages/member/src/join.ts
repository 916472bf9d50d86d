/**
 * What a node needs to know of the others: their cards made into its configuration, and where to begin when the chain is long.
 * Source: docs/guides/run-a-consortium.md; CometBFT v0.40 spec, state sync.
 */
import { type ApiClient, TrustedChain } from "@xinglin/client";
import { Fault, toHex } from "@xinglin/primitives";
import { headerHash } from "@xinglin/verifier";
import type { NodeConfig } from "./config/node-config.ts";
import type { MemberCard } from "./member-card.ts";

/** A header that was followed from the genesis, at which a node may join by a snapshot. */
export interface TrustedHeader {
  readonly height: number;
  /** Hex. */
  readonly hash: string;
}

/** The configuration of a node with these members around it. Cards of its own member are left out. */
export function withMembers(config: NodeConfig, cards: readonly MemberCard[]): NodeConfig {
  const others = cards.filter(({ member }) => member !== config.member);
  const peers = others.flatMap(({ node }) => (node === undefined ? [] : [node]));
  const witnesses = others.flatMap(({ api }) => (api === undefined ? [] : [api]));
  const custodians = others.flatMap(({ member, custodian: { url } }) => (url === undefined ? [] : [{ member, url }]));
  const probed = others.flatMap(({ member, node, api: url }) =>
    node === undefined || url === undefined ? [] : [{ member, url }],
  );
  const chain = config.chain.driver === "cometbft" ? { ...config.chain, peers } : config.chain;
  return {
    ...config,
    chain,
    api: { ...config.api, witnesses },
    custody: { ...config.custody, others: custodians },
    probing: { ...config.probing, peers: probed },
  };
}

/**
 * The newest header that a node shows, checked from the genesis on: a lying one can withhold, but not invent. Rejects with `wrong_chain`, and what
 * the check finds wrong.
 */
export async function trustedHeader(client: ApiClient, chainId: string): Promise<TrustedHeader> {
  const chain = await TrustedChain.of(client, chainId);
  const header = await chain.header(await client.getBytes("/v1/light-blocks/newest"));
  return { height: header.height, hash: toHex(headerHash(header)) };
}

/** The same configuration, joining by a snapshot. Throws `option_wrong` for fewer than two servers. */
export function joiningBySnapshot(config: NodeConfig, servers: readonly string[], trusted: TrustedHeader): NodeConfig {
  const { chain } = config;
  if (chain.driver !== "cometbft" || servers.length < 2)
    throw new Fault("option_wrong", { option: "--rpc", expected: "URL,URL" });
  return { ...config, chain: { ...chain, stateSync: { servers: [...servers], ...trusted } } };
}
