/**
 * `xinglin network genesis|admit|remove|vote|proposal`: what the members of a consortium decide together.
 * Source: requirements A3, A8; docs/guides/run-a-consortium.md.
 */
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { type Action, CAPPED_FROM, CONSORTIUM_ELECTION, chainIdOf } from "@xinglin/contracts";
import { writeFileDurably } from "@xinglin/custody";
import { nameNodes, proposeAction, readConsortiumFile, readProposal, shanghaiTime, type Voting, voteOn } from "@xinglin/gateway";
import { admissionOf, custodianAdmissionOf, custodianId, newGenesis, provenValidator, readCard } from "@xinglin/member";
import { Fault, fromHex, type MemberId, memberId, type ProposalId, proposalId, type UnixSeconds } from "@xinglin/primitives";
import type { Command, Context } from "../command.ts";
import { actionWords } from "../fault-sentence.ts";

export const genesis: Command = {
  words: "network genesis",
  options: {
    card: { type: "string", multiple: true },
    name: { type: "string" },
    domain: { type: "string" },
    origin: { type: "string", multiple: true },
    out: { type: "string" },
  },
  async run({ list, need, tell, text }) {
    const out = resolve(need("out"));
    if (existsSync(out)) throw new Fault("destination_exists", { path: out });
    const cards = list("card").map((path) => readCard(resolve(path)));
    const seats = cards.flatMap((card) => (card.validator === undefined ? [] : [provenValidator(card, "")]));
    const domain = text("domain") ?? "localhost";
    const told = list("origin");
    const origins = told.length > 0 ? told : cards.flatMap(({ api }) => (api === undefined ? [] : [api])).slice(0, MOST_ORIGINS);
    const bytes = newGenesis(cards, {
      name: text("name") ?? "xinglin",
      time: Math.floor(Date.now() / 1000) as UnixSeconds,
      validators: seats,
      election: seats.length < CAPPED_FROM ? { ...CONSORTIUM_ELECTION, minSeats: 1 } : CONSORTIUM_ELECTION,
      page: { domain, origins },
    });
    writeFileDurably(out, bytes);
    const isSmall = seats.length < CAPPED_FROM;
    tell(isSmall ? "network.genesis_small" : "network.genesis", { path: out, chain: chainIdOf(bytes), validators: seats.length });
  },
};
/** What a genesis has room for. */
const MOST_ORIGINS = 8;

const BY = { config: { type: "string" }, days: { type: "string" } } as const;
const DAY_SECONDS = 86_400;

async function propose(context: Context, action: Action): Promise<void> {
  const { client } = context.gateway();
  const voting = await proposeAction(client, context.key(), action, context.number("days", 13) * DAY_SECONDS);
  tellVoting(context, voting);
}

const tellVoting = ({ tell }: Context, { proposal, outcome, height }: Voting): void =>
  tell(`network.vote_${outcome}`, { proposal, outcome, height });

/** What of a member is voted on, if not the member itself. */
const OF = { validator: { type: "boolean" }, custodian: { type: "boolean" } } as const;

function partOf({ flag }: Context): "member" | "validator" | "custodian" {
  if (flag("validator") && flag("custodian"))
    throw new Fault("option_wrong", { option: "--custodian", expected: "--validator|--custodian" });
  if (flag("validator")) return "validator";
  return flag("custodian") ? "custodian" : "member";
}

export const admit: Command = {
  words: "network admit",
  options: { ...BY, card: { type: "string" }, ...OF },
  async run(context) {
    const card = readCard(resolve(context.need("card")));
    const part = partOf(context);
    if (part === "member") return propose(context, admissionOf(card));
    if (part === "custodian") return propose(context, custodianAdmissionOf(card));
    const { chainId } = readConsortiumFile(context.data);
    return propose(context, { kind: "admitValidator", ...provenValidator(card, chainId) });
  },
};

export const remove: Command = {
  words: "network remove",
  options: { ...BY, member: { type: "string" }, ...OF, force: { type: "boolean" } },
  async run(context) {
    const member: MemberId = memberId.parse(context.need("member"));
    const force = context.flag("force");
    const part = partOf(context);
    if (part === "custodian") return propose(context, { kind: "retireCustodian", custodian: custodianId(member) });
    await propose(context, { kind: part === "validator" ? "removeValidator" : "removeMember", member, force });
  },
};

export const nodes: Command = {
  words: "network nodes",
  options: { node: { type: "string", multiple: true } },
  async run(context) {
    const ids = context.list("node").map((id) => {
      if (!/^[0-9a-f]{40}$/.test(id)) throw new Fault("option_wrong", { option: "--node", expected: "40 hex digits" });
      return fromHex(id);
    });
    if (ids.length === 0) throw new Fault("option_missing", { option: "--node" });
    const height = await nameNodes(context.gateway().client, context.key(), ids);
    context.tell("network.nodes", { nodes: ids.length, height });
  },
};

export const open: Command = {
  words: "network open",
  options: BY,
  async run(context) {
    // A chain of one grows from here: its one validator goes on until others are admitted.
    await propose(context, { kind: "setElection", election: { ...CONSORTIUM_ELECTION, minSeats: 1 } });
  },
};

const proposalOf = (context: Context): ProposalId => {
  try {
    return proposalId.parse(context.need("proposal"));
  } catch (cause) {
    if (cause instanceof Fault && cause.code === "option_missing") throw cause;
    throw new Fault("option_wrong", { option: "--proposal", expected: "32 hex digits" }, { cause });
  }
};

export const vote: Command = {
  words: "network vote",
  options: { proposal: { type: "string" }, no: { type: "boolean" } },
  async run(context) {
    const id = proposalOf(context);
    const { client } = context.gateway();
    tellVoting(context, await voteOn(client, context.key(), id, context.flag("no") ? "no" : "yes"));
  },
};

function aboutWhom(action: Action): string {
  if ("member" in action) return action.member;
  if ("custodian" in action) return action.custodian;
  return "id" in action ? action.id : "-";
}

export const proposal: Command = {
  words: "network proposal",
  options: { proposal: { type: "string" } },
  async run(context) {
    const { say, json, print } = context;
    const found = await readProposal(context.gateway().client, context.key(), proposalOf(context));
    if (json) return print(found);
    say.plain("network.proposal", {
      action: actionWords(found.action.kind, say.language),
      about: aboutWhom(found.action),
      by: found.by,
    });
    say.plain("network.proposal_state", { outcome: found.outcome, until: shanghaiTime(found.notAfter) });
    for (const { member, ballot, height } of found.ballots) say.plain("network.ballot", { member, ballot, height });
  },
};
