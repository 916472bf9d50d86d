/**
 * `xinglin node join`: a node takes the genesis and the cards of a network, and where it begins when the chain is long.
 * Source: docs/guides/run-a-consortium.md.
 */
import { copyFileSync, existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { ApiClient, parseCheckpoint } from "@xinglin/client";
import {
  cardForChain,
  continuationFile,
  joiningBySnapshot,
  type MemberCard,
  type NodeConfig,
  readCard,
  readGenesis,
  readNodeConfig,
  type TrustedHeader,
  trustedHeader,
  withMembers,
  writeCard,
  writeNodeConfig,
} from "@xinglin/member";
import { Fault, type MemberId, toHex } from "@xinglin/primitives";
import type { Command, Context } from "../command.ts";
import { configOf } from "./node.ts";

export const joinNetwork: Command = {
  words: "node join",
  options: {
    config: { type: "string" },
    genesis: { type: "string" },
    chain: { type: "string" },
    card: { type: "string", multiple: true },
    rpc: { type: "string" },
    api: { type: "string" },
    trust: { type: "string" },
  },
  async run(context) {
    const { list, need, tell, text, say } = context;
    const file = configOf(context);
    const config = readNodeConfig(file);
    const genesis = resolve(need("genesis"));
    const chainId = need("chain");
    readGenesis({ genesis, chainId });
    const cards = list("card").map((path) => readCard(resolve(path)));
    if (cards.length === 0) throw new Fault("option_missing", { option: "--card" });
    let joined: NodeConfig = withMembers({ ...config, chainId }, cards);
    const rpc = text("rpc");
    if (rpc !== undefined) {
      const trusted = await trustedBy(context, cards, config.member, chainId);
      joined = joiningBySnapshot(joined, rpc.split(","), trusted);
      say.plain("node.trusted", { height: trusted.height, hash: trusted.hash });
    }
    if (genesis !== config.genesis) {
      copyFileSync(genesis, config.genesis);
      if (existsSync(continuationFile(genesis))) copyFileSync(continuationFile(genesis), continuationFile(config.genesis));
    }
    writeNodeConfig(file, joined, { replace: true });
    const ownCard = join(config.data, `${config.member}.card.json`);
    if (existsSync(ownCard)) writeCard(ownCard, cardForChain(config.data, readCard(ownCard), chainId));
    tell("node.joined", { chain: chainId, members: cards.length, config: file });
  },
};

/** A header that a person vouches for, or the newest one, followed from the genesis through another member's node. */
async function trustedBy(
  { say, text }: Context,
  cards: readonly MemberCard[],
  own: MemberId,
  chainId: string,
): Promise<TrustedHeader> {
  const told = text("trust");
  if (told !== undefined) {
    const checkpoint = parseCheckpoint(told);
    if (checkpoint === undefined) throw new Fault("option_wrong", { option: "--trust", expected: "HASH@HEIGHT" });
    return { height: checkpoint.height, hash: toHex(checkpoint.hash) };
  }
  const url = text("api") ?? cards.find(({ member, api }) => member !== own && api !== undefined)?.api;
  if (url === undefined) throw new Fault("option_missing", { option: "--api" });
  return trustedHeader(new ApiClient({ url, language: say.language, chainId }), chainId);
}
