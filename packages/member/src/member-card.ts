/**
 * A member's card: what the others must know of it to let it in, public keys and addresses, in one file that can be mailed. Cards make the genesis
 * of a new consortium, the proposal to admit a member to a running one, and each node's list of peers.
 * Source: requirements A1, A3; docs/guides/run-a-consortium.md.
 */
import { existsSync, readFileSync } from "node:fs";
import { nodeIdOf } from "@xinglin/cometbft";
import { type Action, MEMBER_KINDS, type Member, possessionMessage, possessionSignature } from "@xinglin/contracts";
import { hpkeKeyPair } from "@xinglin/crypto";
import { verifySync } from "@xinglin/crypto/node";
import type { cometbft } from "@xinglin/crypto/pure";
import { writeFileDurably } from "@xinglin/custody";
import { createKeyFile, type KeyOfFile, readKeyFile, readKeySeed, readValidatorKey } from "@xinglin/gateway";
import {
  type ActorId,
  type Bytes,
  Fault,
  fromBase64url,
  fromHex,
  type Infer,
  type MemberId,
  memberId,
  type Schema,
  schema,
  toBase64url,
} from "@xinglin/primitives";
import { administrationKey, custodianId, custodianKey, memberValidatorKey, nodeKey } from "./member-folder.ts";

/** The longest is a signature of ML-DSA-65: 4,412 characters. */
const MAX_KEY_TEXT = 8_192;
/** Bytes as base64url text: a card is read by people's mail programs. */
const key: Schema<Bytes> = {
  parse(value, path = "") {
    const text = schema.text(MAX_KEY_TEXT, /^[A-Za-z0-9_-]+$/).parse(value, path);
    return fromBase64url(text);
  },
};

const card = schema.object({
  type: schema.oneOf("xinglin-card/1"),
  member: memberId,
  kind: schema.oneOf(...MEMBER_KINDS),
  name: schema.object({ zh: schema.text(64), en: schema.text(128) }),
  administration: schema.object({ key, hpke: key }),
  custodian: schema.object({ key, hpke: key, url: schema.optional(schema.text(256, /^https?:\/\//)) }),
  /** Of a member that will hold a seat. */
  validator: schema.optional(key),
  /** The validator key's signature that it is this member's on `chain`; of a chain that has no genesis yet, `chain` is empty. */
  possession: schema.optional(schema.object({ chain: schema.text(50, /^.*$/, 0), signature: key })),
  /** How other nodes reach this one. */
  node: schema.optional(schema.object({ id: schema.text(40, /^[0-9a-f]{40}$/), address: schema.text(256, /^.+:\d{1,5}$/) })),
  /** Where this member's API is. */
  api: schema.optional(schema.text(256, /^https?:\/\//)),
});
/** What a card says. */
export type MemberCard = Infer<typeof card>;

/** Who a member is, as everyone may know. */
export interface MemberNames {
  readonly member: MemberId;
  readonly kind: Member["kind"];
  readonly name: { readonly zh: string; readonly en: string };
}

/** Makes the keys of a member that are not there yet: administration and custodian, and for a node its validator and its peer key. */
export function createMemberKeys(
  data: string,
  member: MemberId,
  parts: { readonly node: boolean; readonly validatorKeyType?: cometbft.KeyType },
): void {
  const { validatorKeyType: keyType } = parts;
  const make = (path: string, actor: string, withHpke: boolean): void => {
    if (existsSync(path)) return;
    createKeyFile(path, {
      actor: actor as ActorId,
      member,
      withHpke,
      ...(actor === "validator" && keyType !== undefined ? { keyType } : {}),
    });
  };
  make(administrationKey(data, member), member, true);
  make(custodianKey(data, member), custodianId(member), true);
  if (!parts.node) return;
  make(memberValidatorKey(data, member), "validator", false);
  make(nodeKey(data, member), "node", false);
}

/** Where a member's services are, as its card tells. */
export interface CardAddresses {
  /** Host and port of its node for other nodes. */
  readonly node?: string;
  readonly api?: string;
  readonly custodian?: string;
}

/** The card of a member whose keys lie in `data`, for the chain with this id; for one that has no genesis yet without. Faults as `readKeyFile`. */
export async function cardOf(data: string, who: MemberNames, addresses: CardAddresses, chain = ""): Promise<MemberCard> {
  const { member } = who;
  const administration = readKeyFile(administrationKey(data, member));
  const custodian = readKeyFile(custodianKey(data, member));
  const hasNode = existsSync(memberValidatorKey(data, member));
  return {
    type: "xinglin-card/1",
    ...who,
    administration: { key: administration.signer.publicKey, hpke: await hpkePublicKey(administration) },
    custodian: {
      key: custodian.signer.publicKey,
      hpke: await hpkePublicKey(custodian),
      ...(addresses.custodian === undefined ? {} : { url: addresses.custodian }),
    },
    ...(hasNode ? validatorOf(data, member, chain) : {}),
    ...(hasNode && addresses.node !== undefined
      ? { node: { id: nodeIdOf(readKeySeed(nodeKey(data, member))), address: addresses.node } }
      : {}),
    ...(addresses.api === undefined ? {} : { api: addresses.api }),
  };
}

/** The validator's key of a member whose keys lie in `data`, and the proof that it is its own. Faults as `readKeyFile`. */
function validatorOf(data: string, member: MemberId, chain: string): Pick<MemberCard, "validator" | "possession"> {
  const { publicKey, sign } = readValidatorKey(memberValidatorKey(data, member));
  return { validator: publicKey, possession: { chain, signature: sign(possessionMessage(chain, member, publicKey)) } };
}

/** The same card with the proof that this chain asks for, if the member's validator key lies in `data`. Faults as `readKeyFile`. */
export const cardForChain = (data: string, content: MemberCard, chain: string): MemberCard =>
  existsSync(memberValidatorKey(data, content.member)) ? { ...content, ...validatorOf(data, content.member, chain) } : content;

/**
 * The validator's key of a card, if the card proves that its member has it. Throws `possession_missing` for a card without a validator, without a
 * proof, or with one for another chain, and `possession_wrong`.
 */
export function provenValidator({ member, validator: publicKey, possession }: MemberCard, chain: string): ProvenValidator {
  if (publicKey === undefined || possession?.chain !== chain)
    throw new Fault("possession_missing", { member, chain: chain === "" ? "-" : chain });
  const proof = { member, publicKey, possession: possession.signature };
  const { suite, message, signature } = possessionSignature(chain, proof);
  if (!verifySync(suite, publicKey, message, signature)) throw new Fault("possession_wrong", { member });
  return proof;
}

/** A validator's key with what proves whose it is, as a genesis or a proposal takes it. */
export interface ProvenValidator {
  readonly member: MemberId;
  readonly publicKey: Bytes;
  readonly possession: Bytes;
}

const hpkePublicKey = async ({ hpkeSeed }: KeyOfFile): Promise<Bytes> => (await hpkeKeyPair(hpkeSeed)).publicKey;

/** Writes a card. */
export function writeCard(path: string, content: MemberCard): void {
  const text = JSON.stringify(content, (_, value: unknown) => (value instanceof Uint8Array ? toBase64url(value) : value), 2);
  writeFileDurably(path, Buffer.from(`${text}\n`));
}

/** Reads a card. Throws `file_missing`, `card_unreadable`. */
export function readCard(path: string): MemberCard {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (cause) {
    throw new Fault("file_missing", { path }, { cause });
  }
  try {
    return card.parse(JSON.parse(text));
  } catch (cause) {
    throw new Fault("card_unreadable", { path }, { cause });
  }
}

/** What the committee votes on to let the custodian of a card keep shares. */
export const custodianAdmissionOf = ({ member, custodian: { key: own, hpke } }: MemberCard): Action => ({
  kind: "admitCustodian",
  id: custodianId(member),
  member,
  hpke,
  key: { suite: "ed25519", key: own },
});

/** The nodes of a card as the chain names them, if it has one: the other members' nodes let these in. */
export const nodesOf = ({ node }: MemberCard): { readonly nodes?: Bytes[] } =>
  node === undefined ? {} : { nodes: [fromHex(node.id)] };

/** What the committee votes on to admit the member of a card, with its node. */
export const admissionOf = (card: MemberCard): Extract<Action, { readonly kind: "admitMember" }> => ({
  kind: "admitMember",
  id: card.member,
  as: card.kind,
  name: card.name,
  hpke: card.administration.hpke,
  key: { suite: "ed25519", key: card.administration.key },
  ...nodesOf(card),
});
