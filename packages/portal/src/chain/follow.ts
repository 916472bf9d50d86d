/** The light client of the page, loaded after the page itself. Source: requirement A9. */
import { type ApiClient, FollowedChain, peersOf } from "@xinglin/client";
import type { ChainStore } from "./store.ts";

export { parseCheckpoint } from "@xinglin/client";
export { followChain, LightBudget } from "@xinglin/verifier";

/**
 * A followed chain whose witnesses are the nodes that the server names now and those that it named before: a server that leaves one out later does
 * not make it forgotten. Throws `wrong_chain`.
 */
export async function openFollowed(client: ApiClient, chainId: string, store: ChainStore): Promise<FollowedChain> {
  const named = await peersOf(client).catch(() => []);
  const witnesses = [...new Set([...(await store.peers()), ...named])];
  await store.keepPeers(witnesses);
  const checkpoint = await store.checkpoint();
  return FollowedChain.open({
    client,
    chainId,
    witnesses,
    store: store.light,
    ...(checkpoint === undefined ? {} : { checkpoint }),
  });
}
