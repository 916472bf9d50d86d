/**
 * Verifies in the browser what the server showed, believing only what the validators signed. Loaded when it is first asked for.
 * Source: requirements A2, A9, C10; design.md, "Proofs".
 */
import { type ApiClient, type Identity, TrustedChain } from "@xinglin/client";
import { accessHead, consentHead, type Directive, directive, keys, member, permit } from "@xinglin/contracts";
import { type Bytes, cbor, Fault, type MemberId, type Schema } from "@xinglin/primitives";
import { decodeLightBlock, genesisTrust } from "@xinglin/verifier";
import type { AccessRow, ConsentRow, MemberRow } from "../feed/rows.ts";
import { differsFromDirective, differsFromEntry, differsFromPermit } from "./compare.ts";

const MAX_VALUE_BYTES = 1_048_576;
/** Entries that are asked for at a time. */
const AT_ONCE = 4;

/** One thing that was proved, or that the proof rests on: a code with its facts, made a sentence by the page. */
export interface Point {
  readonly code: string;
  readonly facts: Readonly<Record<string, string | number>>;
}
/** What came of a verification. `sequence` names the entry that is not as it was shown. */
export type Verdict =
  | { readonly ok: true; readonly proved: readonly Point[]; readonly assumed: readonly Point[] }
  | { readonly ok: false; readonly code: string; readonly facts: Point["facts"]; readonly sequence?: number };

/** What is verified for one pseudonym; `rows` is everything that was shown of it. */
export interface Shown {
  readonly identity: Identity;
  readonly rows: readonly AccessRow[];
  readonly consents: readonly ConsentRow[];
}

export class Verifier {
  readonly #client: ApiClient;
  readonly #chain: TrustedChain;
  readonly #now: () => number;

  private constructor(client: ApiClient, chain: TrustedChain, now: () => number) {
    this.#client = client;
    this.#chain = chain;
    this.#now = now;
  }

  /** `chainId` comes from the enrolment link, not from this server: another genesis is found out. */
  static async of(client: ApiClient, chainId: string, now = () => Math.floor(Date.now() / 1000)): Promise<Verifier> {
    return new Verifier(client, await TrustedChain.of(client, chainId), now);
  }

  /** One entry: the permit in the state, its place in the audit log, and the institution's name. */
  async verifyOne(identity: Identity, row: AccessRow, members: readonly MemberRow[]): Promise<Verdict> {
    return this.#judge(async (newest) => {
      await this.#verifyRow(identity, row, newest.height);
      await this.#verifyNames(identity, [row], members, newest.height);
      const state = row.permit === undefined ? [] : [{ code: "permit_in_state", facts: { number: row.permit } }];
      return [
        ...state,
        { code: "entry_in_log", facts: { sequence: row.sequence } },
        { code: "names_in_state", facts: { count: 1 } },
      ];
    });
  }

  /**
   * Everything that was shown: each row as above, and that no permitted read and no consent is missing. `load` fetches the lists once the
   * height is fixed, so that whatever the state counts there must be among them.
   */
  async verifyAll(
    load: () => Promise<readonly Shown[]>,
    members: readonly MemberRow[],
    onProgress: (done: number, all: number) => void = () => {},
  ): Promise<Verdict> {
    return this.#judge(async (newest) => {
      const shown = await load();
      const all = shown.reduce((sum, { rows, consents }) => sum + rows.length + consents.length, 0);
      let done = 0;
      let reads = 0;
      let refusals = 0;
      let consentCount = 0;
      for (const { identity, rows, consents } of shown) {
        reads += await this.#verifyComplete(identity, rows, newest.height);
        refusals += rows.filter(({ outcome }) => outcome === "refused").length;
        consentCount += await this.#verifyConsents(identity, consents, newest.height);
        done += consents.length;
        onProgress(done, all);
        for (let i = 0; i < rows.length; i += AT_ONCE) {
          const some = rows.slice(i, i + AT_ONCE);
          await Promise.all(some.map((row) => this.#verifyRow(identity, row, newest.height)));
          done += some.length;
          onProgress(done, all);
        }
      }
      const [first] = shown;
      const rows = shown.flatMap((one) => one.rows);
      const names = first === undefined ? 0 : await this.#verifyNames(first.identity, rows, members, newest.height);
      return [
        { code: "reads_complete", facts: { count: reads } },
        { code: "refusals_in_log", facts: { count: refusals } },
        { code: "consents_complete", facts: { count: consentCount } },
        { code: "names_in_state", facts: { count: names } },
      ];
    });
  }

  /** A directive as it is proven to stand after block `height` or a later one. Throws what the proof lacks. */
  async proveDirective(identity: Identity, number: number, height: number): Promise<Directive> {
    const key = keys.consent(identity.actor, number);
    const { value, height: proven } = await this.#chain.prove(identity, key);
    // An older state would show a consent as it was before it was changed.
    if (value === undefined || proven < height) throw new Fault("proof_wrong", { key });
    return directive.parse(cbor.decode(value, MAX_VALUE_BYTES));
  }

  /** The X-Wing key of an institution, proven: what is sealed to it is for nobody else. */
  async memberKey(identity: Identity, id: MemberId): Promise<Bytes> {
    return (await this.#chain.member(identity, id)).hpke;
  }

  /** Runs a verification at the newest provable height, and says what it rests on. */
  async #judge(verify: (newest: { height: number; time: number }) => Promise<Point[]>): Promise<Verdict> {
    try {
      const lightBlock = await this.#client.getBytes("/v1/light-blocks/newest");
      const header = await this.#chain.header(lightBlock);
      const newest = { height: header.height - 1, time: header.time.seconds };
      const { validators, commit } = decodeLightBlock(lightBlock);
      const points = await verify(newest);
      const signed = commit.signatures.filter(({ flag }) => flag === "commit").length;
      const chain = this.#chain.chainId;
      const { genesis, bytes } = await this.#client.genesis();
      const isSolo = genesisTrust(bytes).validators.length === 1;
      const ageSeconds = Math.max(0, this.#now() - newest.time);
      const isOld = ageSeconds > 6 * genesis.parameters.maxBlockGapSeconds;
      return {
        ok: true,
        proved: [
          { code: "header_signed", facts: { height: header.height, time: newest.time, signed, validators: validators.length } },
          ...points,
        ],
        assumed: [
          { code: "genesis_genuine", facts: { chain } },
          isSolo ? { code: "single_key_could_rewrite", facts: {} } : { code: "validators_honest", facts: {} },
          ...(isOld ? [{ code: "state_is_old", facts: { minutes: Math.ceil(ageSeconds / 60) } }] : []),
          { code: "refusals_not_counted", facts: {} },
          { code: "department_not_proven", facts: {} },
          { code: "page_genuine", facts: {} },
        ],
      };
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      // What may work later is no lie of the server's.
      if (error.retry || error.code === "unlock_needed") throw error;
      const { sequence, ...facts } = error.facts;
      return typeof sequence === "number"
        ? { ok: false, code: error.code, facts, sequence }
        : { ok: false, code: error.code, facts };
    }
  }

  async #verifyRow(identity: Identity, row: AccessRow, height: number): Promise<void> {
    const { sequence } = row;
    const differs = (element: string | undefined): void => {
      if (element !== undefined) throw new Fault("row_differs", { element, sequence });
    };
    const { entry } = await this.#at(sequence, () => this.#chain.proveEntry(identity, sequence));
    differs(differsFromEntry(row, entry));
    if (row.outcome === "refused") return;
    const number = row.permit ?? 0;
    const found = await this.#at(sequence, () =>
      this.#value(identity, keys.access(identity.actor, number), permit, Math.max(height, row.height)),
    );
    if (found === undefined) throw new Fault("read_invented", { number, sequence });
    differs(differsFromPermit(row, found));
  }

  /** Names the entry that a failure is about. */
  async #at<T>(sequence: number, prove: () => Promise<T>): Promise<T> {
    try {
      return await prove();
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      throw new Fault(error.code, { ...error.facts, sequence }, { cause: error, retry: error.retry });
    }
  }

  /** The permits shown are exactly those that the state counts. Rows may be newer than the proof; none may be missing. */
  async #verifyComplete(identity: Identity, rows: readonly AccessRow[], height: number): Promise<number> {
    const head = await this.#value(identity, keys.accessHead(identity.actor), accessHead, height);
    const count = head?.count ?? 0;
    const shown = new Set(rows.flatMap(({ permit }) => (permit === undefined ? [] : [permit])));
    for (let number = 1; number <= count; number++) if (!shown.has(number)) throw new Fault("read_withheld", { number, count });
    return count;
  }

  async #verifyConsents(identity: Identity, rows: readonly ConsentRow[], height: number): Promise<number> {
    const head = await this.#value(identity, keys.consentHead(identity.actor), consentHead, height);
    const count = head?.count ?? 0;
    const shown = new Map(rows.map((row) => [row.number, row]));
    for (let number = 1; number <= count; number++) {
      const row = shown.get(number);
      if (row === undefined) throw new Fault("consent_withheld", { number, count });
      const found = await this.#value(identity, keys.consent(identity.actor, number), directive, Math.max(height, row.height));
      const element = found === undefined ? "number" : differsFromDirective(row, found);
      if (element !== undefined) throw new Fault("consent_differs", { number, element });
    }
    return count;
  }

  async #verifyNames(
    identity: Identity,
    rows: readonly AccessRow[],
    members: readonly MemberRow[],
    height: number,
  ): Promise<number> {
    const ids = new Set([identity.member, ...rows.map(({ by }) => by.member)]);
    for (const id of ids) {
      const shown = members.find((one) => one.id === id)?.name;
      const found = await this.#value(identity, keys.member(id), member, height);
      if (shown === undefined || found?.name.zh !== shown.zh || found.name.en !== shown.en)
        throw new Fault("name_differs", { member: id });
    }
    return ids.size;
  }

  async #value<T>(identity: Identity, key: string, shape: Schema<T>, height?: number): Promise<T | undefined> {
    const { value } = await this.#chain.prove(identity, key, height);
    return value === undefined ? undefined : shape.parse(cbor.decode(value, MAX_VALUE_BYTES));
  }
}
