/**
 * The genesis document of a new chain, from the cards of its members.
 * Source: design.md, "Ledger"; requirement C4 (the class matrix).
 */
import {
  type BASES,
  CATEGORIES,
  decodeGenesis,
  type ElectionParameters,
  encodeGenesis,
  type Genesis,
  LEVELS,
} from "@xinglin/contracts";
import { sha256 } from "@xinglin/crypto/pure";
import { type Bytes, Fault, type MemberId, type UnixSeconds, utf8 } from "@xinglin/primitives";
import { type MemberCard, nodesOf } from "./member-card.ts";
import { custodianId } from "./member-folder.ts";

/** What a level demands, whatever the category: requirement C4. */
const BASIS_OF_LEVEL: Readonly<Record<(typeof LEVELS)[number], (typeof BASES)[number]>> = {
  public: "free",
  internal: "review",
  sensitive: "consent",
  core: "ethics",
};

/** What of a new chain is not in the cards. */
export interface GenesisPlan {
  /** First part of the chain's id. */
  readonly name: string;
  readonly time: UnixSeconds;
  /** Who holds a seat from the first block on, in this order; all with equal power. */
  readonly validators: readonly { readonly member: MemberId; readonly publicKey: Bytes }[];
  readonly election: ElectionParameters;
  /** Domain name of the patient page, to which passkeys are bound, and the origins under which it is reached. */
  readonly page: { readonly domain: string; readonly origins: readonly string[] };
}

/** Canonical bytes of the genesis. Throws `Fault("genesis_invalid")` if the cards contradict each other. */
export function newGenesis(cards: readonly MemberCard[], plan: GenesisPlan): Bytes {
  if (plan.validators.length === 0) throw new Fault("genesis_invalid", { reason: "no_validator" });
  const genesis: Genesis = {
    type: "xinglin-genesis/1",
    name: plan.name,
    time: plan.time,
    parameters: {
      maxValiditySeconds: 600,
      maxValidityBlocks: 10_000,
      maxBlockGapSeconds: 10,
      permitSeconds: 600,
      memberQuota: 20_000,
      maxTransactionBytes: 1_048_576,
      maxBlockBytes: 16_777_216,
      logEpochEntries: 1_048_576,
      election: plan.election,
      webauthn: { origins: [...plan.page.origins], rpIdHash: sha256(utf8(plan.page.domain)) },
    },
    members: cards.map((card) => ({
      id: card.member,
      member: { kind: card.kind, name: card.name, status: "active", hpke: card.administration.hpke, ...nodesOf(card) },
      key: { suite: "ed25519", key: card.administration.key },
    })),
    custodians: cards.map(({ member, custodian: { key, hpke } }) => ({
      id: custodianId(member),
      member,
      key: { suite: "ed25519", key },
      hpke,
    })),
    validators: plan.validators.map(({ member, publicKey }) => ({ member, publicKey, power: 1 })),
    matrix: LEVELS.flatMap((level) => CATEGORIES.map((category) => ({ level, category, basis: BASIS_OF_LEVEL[level] }))),
  };
  const bytes = encodeGenesis(genesis);
  decodeGenesis(bytes);
  return bytes;
}
