/**
 * The prober of a member's node: looks at the other candidates' nodes at random moments of each epoch, and signs once an epoch what it saw.
 *
 * It works by the chain's blocks and keeps nothing on disk: what is told already stands in the state, and after a restart the rest of the epoch is
 * looked at anew. On a chain that stands still it looks, but tells nothing: its transactions alone never make an epoch.
 *
 * Source: requirement A8 (peers sign their probes); docs/internals/validators.md, "Probes".
 */
import { type Identity, signTransaction } from "@xinglin/client";
import { committeeOf, type Election, getElection, getParameters, getProbes, getTally, type Operation } from "@xinglin/contracts";
import type { BlockNotice, Ledger } from "@xinglin/ledger";
import { type Bytes, Fault, type MemberId, type UnixSeconds } from "@xinglin/primitives";
import { DEFAULT_MEGABYTES, DEFAULT_ROUNDS, DEFAULT_TIMEOUT_MS } from "./defaults.ts";
import { type EpochPlan, pick, planEpoch, TRANSFER_ROUNDS } from "./epoch-plan.ts";
import { EpochSightings, type Sighting } from "./epoch-sightings.ts";
import { type Peer, PeerProbe } from "./peer-probe.ts";

/** Why this node's probes of an epoch are not on the chain. */
export interface ProbeNotice {
  readonly event: "probes_refused";
  readonly epoch: number;
  readonly code: string;
}

/** What a prober is made of. */
export interface ProberOptions {
  readonly ledger: Pick<
    Ledger,
    "chainId" | "get" | "height" | "lightBlock" | "newestLightBlock" | "receipt" | "submit" | "subscribe"
  >;
  /** Who signs: the administration of the prober's member, or a device of it. */
  readonly by: Identity;
  readonly peers: readonly Peer[];
  /** Looks at every peer in an epoch. */
  readonly rounds?: number;
  /** Megabytes that the transfers of an epoch may take together. */
  readonly megabytes?: number;
  readonly timeoutMs?: number;
  readonly onNotice?: (notice: ProbeNotice) => void;
  readonly random?: () => number;
  readonly now?: () => number;
  readonly fetch?: typeof fetch;
}

const MEGABYTE = 1_000_000;
const MOST_TRANSFER_BYTES = 262_144;
/** Peers asked at a time. */
const AT_ONCE = 8;
/** Times that the probes of an epoch are submitted; between two of them a block of every proposer that is due should have come. */
const MOST_TRIES = 5;
const RETRIES_IN_EPOCH = 20;
const LEAST_RETRY_BLOCKS = 3;

interface OpenEpoch {
  readonly plan: EpochPlan;
  readonly sightings: EpochSightings;
  /** Rounds that are done or under way. */
  begun: number;
  tries: number;
  retryFrom: number;
}

export class Prober {
  readonly #options: ProberOptions;
  readonly #random: () => number;
  readonly #probes: readonly PeerProbe[];
  readonly #transferBytes: number;
  readonly #ending = new AbortController();
  readonly #unsubscribe: () => void;
  #open: OpenEpoch | undefined;
  #round: Promise<void> | undefined;
  #telling: Promise<void> | undefined;
  readonly #hearing = new Set<Promise<void>>();

  /** Begins at once. */
  constructor(options: ProberOptions) {
    const { ledger, by, peers, timeoutMs = DEFAULT_TIMEOUT_MS, megabytes = DEFAULT_MEGABYTES } = options;
    const { random = Math.random, now = () => performance.now(), fetch } = options;
    this.#options = options;
    this.#random = random;
    const { signal } = this.#ending;
    const common = { timeoutMs, signal, now, random, ...(fetch === undefined ? {} : { fetch }) };
    this.#probes = peers.filter(({ member }) => member !== by.member).map((peer) => new PeerProbe(peer, ledger, common));
    const share = (megabytes * MEGABYTE) / (TRANSFER_ROUNDS * Math.max(1, this.#probes.length));
    this.#transferBytes = Math.min(MOST_TRANSFER_BYTES, Math.floor(share));
    this.#unsubscribe = ledger.subscribe((notice) => this.#onBlock(notice));
  }

  /** Ends what is under way. */
  async close(): Promise<void> {
    this.#unsubscribe();
    this.#ending.abort(new Fault("ledger_unavailable"));
    await Promise.all([this.#round, this.#telling]);
    await Promise.all(this.#hearing);
  }

  #onBlock({ height, time }: BlockNotice): void {
    const { ledger, rounds = DEFAULT_ROUNDS, by } = this.#options;
    const election = getElection(ledger);
    const epochBlocks = getParameters(ledger)?.election.epochBlocks;
    if (election === undefined || epochBlocks === undefined || !committeeOf(election).includes(by.member)) return;
    if (this.#open?.plan.epoch !== election.epoch) {
      const plan = planEpoch({ ...election, epochBlocks }, height, rounds, this.#random);
      this.#open = { plan, sightings: new EpochSightings(), begun: 0, tries: 0, retryFrom: 0 };
    }
    const open = this.#open;
    const due = open.plan.rounds.filter((round) => round.height <= height).length;
    if (due > open.begun && this.#round === undefined) {
      const withTransfer = open.plan.rounds.slice(open.begun, due).some((round) => round.withTransfer);
      open.begun = due;
      this.#round = this.#look(open, election, withTransfer).finally(() => {
        this.#round = undefined;
      });
    }
    const isTime = height >= Math.max(open.plan.tellFrom, open.retryFrom) && height + 1 < open.plan.endsFrom;
    if (isTime && this.#telling === undefined && open.tries < MOST_TRIES)
      this.#telling = this.#tell(open, election, { height, time: time.seconds as UnixSeconds }).finally(() => {
        this.#telling = undefined;
      });
  }

  /** Looks at all candidates whose address is known, in random order. */
  async #look({ sightings }: OpenEpoch, election: Election, withTransfer: boolean): Promise<void> {
    const members = new Set<MemberId>(candidatesOf(election));
    const known = this.#probes.filter(({ peer }) => members.has(peer.member));
    const order = pick(known.length, known.length, this.#random).map((i) => known[i] as PeerProbe);
    const seen: Sighting[] = [];
    for (let from = 0; from < order.length; from += AT_ONCE)
      seen.push(...(await Promise.all(order.slice(from, from + AT_ONCE).map(lookAt))));
    // One after the other, so that they don't share this node's line.
    const rates = new Map<MemberId, number | undefined>();
    for (const probe of withTransfer ? order : [])
      if (!this.#ending.signal.aborted) rates.set(probe.peer.member, await probe.transfer(this.#transferBytes));
    if (this.#ending.signal.aborted) return;
    sightings.add(seen.map((sighting) => ({ ...sighting, kilobytesPerSecond: rates.get(sighting.member) })));
  }

  /** Signs and submits what was seen and is not on the chain yet. */
  async #tell(open: OpenEpoch, election: Election, at: { height: number; time: UnixSeconds }): Promise<void> {
    const { ledger, by, onNotice } = this.#options;
    const { epoch, endsFrom } = open.plan;
    const operations = this.#untold(open, election);
    if (operations.length === 0 || !this.#isInUse(election)) return;
    open.tries++;
    const blocks = getParameters(ledger)?.election.epochBlocks ?? 0;
    open.retryFrom = at.height + Math.max(LEAST_RETRY_BLOCKS, Math.floor(blocks / RETRIES_IN_EPOCH));
    try {
      const { id, bytes } = await signTransaction({ chainId: ledger.chainId, ...at }, by, operations);
      await ledger.submit(bytes);
      const hearing = this.#hear(id, epoch).finally(() => this.#hearing.delete(hearing));
      this.#hearing.add(hearing);
    } catch (error) {
      if (this.#ending.signal.aborted) return;
      if (!(error instanceof Fault)) throw error;
      if (open.tries === MOST_TRIES || at.height + 2 >= endsFrom || !error.retry)
        onNotice?.({ event: "probes_refused", epoch, code: error.code });
    }
  }

  /** Tells the operator of a refusal. A transaction that was lost is submitted again without this. Never rejects. */
  async #hear(id: Bytes, epoch: number): Promise<void> {
    const { ledger, onNotice } = this.#options;
    const receipt = await ledger.receipt(id, "committed", this.#ending.signal).catch(() => undefined);
    const refused = receipt?.results.filter(({ outcome }) => outcome === "refused") ?? [];
    const code = refused.find((result) => result.code !== "already_recorded")?.code;
    if (code !== undefined) onNotice?.({ event: "probes_refused", epoch, code });
  }

  #untold({ plan: { epoch }, sightings }: OpenEpoch, election: Election): Operation[] {
    const { ledger, by } = this.#options;
    return candidatesOf(election).flatMap((member) => {
      const probes = getProbes(ledger, member);
      if (probes?.epoch === epoch && probes.by.some((one) => one.member === by.member)) return [];
      const seen = sightings.of(member);
      return seen === undefined ? [] : [{ op: "recordProbe", epoch, member, seen }];
    });
  }

  /** Whether the open epoch has operations other than probes: else it does not end, and a probe would be the only traffic. */
  #isInUse({ epoch, candidates }: Election): boolean {
    const { ledger } = this.#options;
    const told = candidates.reduce((sum, { member }) => {
      const probes = getProbes(ledger, member);
      return sum + (probes?.epoch === epoch ? probes.by.length : 0);
    }, 0);
    return (getTally(ledger)?.operations ?? 0) > told;
  }
}

const candidatesOf = ({ candidates }: Election): MemberId[] =>
  candidates.filter(({ standing }) => standing !== "penalised").map(({ member }) => member);

async function lookAt(probe: PeerProbe): Promise<Sighting> {
  const [answered, freeMegabytes] = await Promise.all([probe.answers(), probe.freeMegabytes()]);
  return { member: probe.peer.member, answered, freeMegabytes };
}
