/**
 * The patient's pseudonyms in this browser, with what signs for each. Nothing private leaves it: the server sees public keys and
 * signatures. Source: requirement B1; design.md, "Identity".
 */
import type { Identity } from "@xinglin/client";
import type { ActorId } from "@xinglin/primitives";
import type { Attention } from "./attention.ts";
import { deviceSigner } from "./device-key.ts";
import type { Holding, HoldingState } from "./holding.ts";
import { passkeySigner } from "./passkey.ts";
import type { WalletStore } from "./store.ts";

export class Wallet {
  readonly #store: WalletStore;
  readonly #attention: Attention;
  readonly #identities = new Map<string, Promise<Identity>>();
  #holdings: readonly Holding[];

  private constructor(store: WalletStore, attention: Attention, holdings: readonly Holding[]) {
    this.#store = store;
    this.#attention = attention;
    this.#holdings = holdings;
  }

  static async open(store: WalletStore, attention: Attention): Promise<Wallet> {
    return new Wallet(store, attention, await store.all());
  }

  /** Every pseudonym, in a stable order. */
  get holdings(): readonly Holding[] {
    return this.#holdings;
  }

  /**
   * Pseudonyms on the chain that was enrolled on last. A server has one chain; where it was set up anew, keys of the old one are of no use here,
   * and none is thrown away.
   */
  get current(): readonly Holding[] {
    const newest = this.#holdings.reduce<Holding | undefined>(
      (a, b) => (a === undefined || b.addedAt > a.addedAt ? b : a),
      undefined,
    );
    return this.#holdings.filter(({ chain }) => chain === newest?.chain);
  }

  /** What acts for a pseudonym. */
  identity(holding: Holding): Promise<Identity> {
    const known = this.#identities.get(holding.patient);
    if (known !== undefined) return known;
    const { patient: actor, member, key } = holding;
    const identity = (key.kind === "device" ? deviceSigner(key) : Promise.resolve(passkeySigner(key, this.#attention))).then(
      (signer) => ({ actor, member, signer }),
    );
    this.#identities.set(actor, identity);
    return identity;
  }

  /** Adds a pseudonym, or puts a new key in the place of its old one. */
  async put(holding: Holding): Promise<void> {
    await this.#store.put(holding);
    this.#identities.delete(holding.patient);
    this.#holdings = [...this.#holdings.filter(({ patient }) => patient !== holding.patient), holding].sort((a, b) =>
      a.member < b.member ? -1 : 1,
    );
  }

  async setState(patient: ActorId, state: HoldingState): Promise<void> {
    const holding = this.#holdings.find((one) => one.patient === patient);
    if (holding !== undefined && holding.state !== state) await this.put({ ...holding, state });
  }

  /** Takes back a pending key, so that a link can be tried again. */
  async remove(patient: ActorId): Promise<void> {
    await this.#store.remove(patient);
    this.#identities.delete(patient);
    this.#holdings = this.#holdings.filter((one) => one.patient !== patient);
  }

  /** Forgets all pseudonyms and their keys on this device. The chain's consents stay as they are. */
  async forget(): Promise<void> {
    await this.#store.clear();
    this.#identities.clear();
    this.#holdings = [];
  }
}
