/** `xinglin consent grant|narrow|revoke|list`: for wallets in key files; patients use the page. Source: requirement C1. */
import { grantConsent, narrowConsent, revokeConsent, TrustedChain } from "@xinglin/client";
import { category, type DirectiveTerms, directiveTerms, level, purpose } from "@xinglin/contracts";
import { requireAccepted, shanghaiTime } from "@xinglin/gateway";
import { actorId, memberId, type UnixSeconds } from "@xinglin/primitives";
import type { Command, Context } from "../command.ts";

const DAY_SECONDS = 86_400;
const TERMS = {
  to: { type: "string" },
  purpose: { type: "string" },
  categories: { type: "string" },
  levels: { type: "string" },
  days: { type: "string" },
  deny: { type: "boolean" },
} as const;

const words = (text: string): string[] => text.split(",").map((word) => word.trim());

async function termsOf(context: Context, now: UnixSeconds): Promise<DirectiveTerms> {
  return directiveTerms.parse({
    effect: context.flag("deny") ? "deny" : "permit",
    grantees: words(context.need("to")).map((member) => ({ kind: "institution", member: memberId.parse(member) })),
    purposes: words(context.text("purpose") ?? "TREAT").map((word) => purpose.parse(word)),
    categories: words(context.need("categories")).map((word) => category.parse(word)),
    levels: words(context.text("levels") ?? "internal,sensitive").map((word) => level.parse(word)),
    notBefore: now - 60,
    notAfter: now + context.number("days", 365) * DAY_SECONDS,
  });
}

export const grant: Command = {
  words: "consent grant",
  options: { ...TERMS, local: { type: "string" } },
  async run(context) {
    const { client } = context.gateway();
    const patient = context.key();
    const terms = await termsOf(context, (await client.tip()).time);
    const chain = await TrustedChain.of(client);
    const local = context.text("local");
    // A denial needs no pointer: it would tell the pseudonym to those whom it keeps out.
    const named = new Set(
      terms.effect === "deny" ? [] : terms.grantees.flatMap((grantee) => (grantee.kind === "study" ? [] : [grantee.member])),
    );
    const grantees = await Promise.all(
      [...named].map(async (id) => ({
        id,
        hpke: (await chain.member(patient, id)).hpke,
        ...(local === undefined ? {} : { local: actorId.parse(local) }),
      })),
    );
    const receipt = requireAccepted(await grantConsent(client, patient, terms, grantees));
    const facts = {
      number: receipt.results[0]?.subject.number ?? 0,
      height: receipt.height,
      until: shanghaiTime(terms.notAfter),
    };
    context.tell("consent.granted", facts);
  },
};

export const narrow: Command = {
  words: "consent narrow",
  options: { ...TERMS, number: { type: "string" } },
  async run(context) {
    const { client } = context.gateway();
    const number = context.number("number", 0);
    const receipt = requireAccepted(
      await narrowConsent(client, context.key(), number, await termsOf(context, (await client.tip()).time)),
    );
    context.tell("consent.narrowed", { number, height: receipt.height });
  },
};

export const revoke: Command = {
  words: "consent revoke",
  options: { number: { type: "string" } },
  async run(context) {
    const number = context.number("number", 0);
    const receipt = requireAccepted(await revokeConsent(context.gateway().client, context.key(), number));
    context.tell("consent.revoked", { number, height: receipt.height });
  },
};

export const list: Command = {
  words: "consent list",
  options: {},
  async run(context) {
    const patient = context.key();
    context.print(await context.gateway().client.getJson(`/v1/patients/${patient.actor}/consents`, patient));
  },
};
