/**
 * The consortium's custodians as the chain holds them, and the state that a request to them must bring along.
 * Source: design.md, "Consent, access, custody" (custodians take bytes only).
 */
import { setTimeout } from "node:timers/promises";
import { type ApiClient, type Identity, TrustedChain } from "@xinglin/client";
import { MAX_CUSTODIANS, type PublicKey } from "@xinglin/contracts";
import { sha256 } from "@xinglin/crypto/pure";
import type { ProvenState, ShareRecipient } from "@xinglin/custody/client";
import { type ActorId, Fault, type RecordId, toHex, utf8 } from "@xinglin/primitives";

/** A custodian in force: where its shares are sealed to, and the keys with which it signs. */
export interface KnownCustodian extends ShareRecipient {
  readonly signingKeys: readonly PublicKey[];
}

/**
 * Custodians in force, in a stable order, with their X-Wing keys: those that the genesis names and those that the committee admitted, each proven to
 * `identity`. A server's own list could hold a key of the server's, or leave out custodians until the rest are in one hand.
 */
export async function listCustodians(client: ApiClient, identity: Identity): Promise<KnownCustodian[]> {
  const chain = await TrustedChain.of(client);
  const ids = await chain.custodians(identity);
  const known = await Promise.all(
    ids.map(async (id) => {
      const [{ hpke, status }, actor] = await Promise.all([chain.custodian(identity, id), chain.actor(identity, id)]);
      const signingKeys = actor.keys.filter(({ until }) => until === undefined).map(({ publicKey }) => publicKey);
      return { id, hpke, status, signingKeys };
    }),
  );
  const recipients = known
    .filter(({ status }) => status === "active")
    .map(({ status: _, ...recipient }) => recipient)
    .sort((a, b) => (a.id < b.id ? -1 : 1));
  if (recipients.length === 0) throw new Fault("custodians_missing", {}, { retry: true });
  return recipients;
}

/**
 * Who of the custodians in force keeps the shares of one record's key: all of them, or of more than a key is shared among, those whom the record's id
 * chooses, so that shares spread over all.
 */
export function custodiansFor<Known extends { readonly id: ActorId }>(record: RecordId, all: readonly Known[]): readonly Known[] {
  if (all.length <= MAX_CUSTODIANS) return all;
  const rank = ({ id }: Known): string => toHex(sha256(utf8(`${record} ${id}`)));
  const chosen = new Set(all.toSorted((a, b) => (rank(a) < rank(b) ? -1 : 1)).slice(0, MAX_CUSTODIANS));
  return all.filter((one) => chosen.has(one));
}

/**
 * How many of `count` custodians restore a key when so many were told to: at least more than half, since half could be in one hand. A consortium that
 * admitted custodians thus goes on with the number it began with for as long as that is enough.
 */
export const thresholdFor = (told: number, count: number): number => Math.max(told, Math.floor(count / 2) + 1);

/** Proves `keys` at one height, in the form that custodians read. */
export async function proveState(client: ApiClient, identity: Identity, keys: readonly string[]): Promise<ProvenState> {
  const { height, lightBlock, proofs } = await client.proveAll(identity, keys);
  return {
    height,
    lightBlock,
    proofs: proofs.map(({ key, value, proof }) => ({ key, ...(value === undefined ? {} : { value }), proof })),
  };
}

/** A custodian's answer, or the code with which it refused. */
export interface CustodianAnswer {
  readonly custodian: ActorId;
  readonly answer?: Uint8Array;
  readonly refusal?: Fault;
}

/** Codes after which the same request with a newer proof may succeed: a block was made in between. */
const OVERTAKEN = new Set(["header_superseded", "header_stale"]);
/** With validators away a block can take several rounds of some seconds each. */
const PATIENCE_MS = 20_000;
const RETRY_MS = 300;

/**
 * Asks every custodian in parallel; `request` builds each one's bytes over a state proven just before. A custodian that has seen a newer
 * block is asked again with a newer proof.
 */
export async function askCustodians(
  client: ApiClient,
  custodians: readonly ActorId[],
  what: "deposits" | "bulk-deposits" | "releases" | "erasures",
  prove: () => Promise<ProvenState>,
  request: (custodian: ActorId, state: ProvenState) => Uint8Array,
): Promise<CustodianAnswer[]> {
  const answers = new Map<ActorId, CustodianAnswer>();
  let open = [...custodians];
  const deadline = performance.now() + PATIENCE_MS;
  do {
    const state = await prove();
    await Promise.all(
      open.map(async (custodian) => {
        try {
          answers.set(custodian, {
            custodian,
            answer: await client.postBytes(`/v1/custodians/${custodian}/${what}`, request(custodian, state)),
          });
        } catch (error) {
          if (!(error instanceof Fault)) throw error;
          answers.set(custodian, { custodian, refusal: error });
        }
      }),
    );
    open = open.filter((custodian) => OVERTAKEN.has(answers.get(custodian)?.refusal?.code ?? ""));
    if (open.length > 0) await setTimeout(RETRY_MS);
  } while (open.length > 0 && performance.now() < deadline);
  return custodians.map((custodian) => answers.get(custodian) as CustodianAnswer);
}
