/** A chain without a ledger behind it, and nodes that answer probes from it, well or badly, on a clock of the test's own. */
import { createHash } from "node:crypto";
import type { Identity } from "@xinglin/client";
import { type Candidate, CONSORTIUM_ELECTION, keys } from "@xinglin/contracts";
import { nodeEd25519Signer } from "@xinglin/crypto/node";
import { cometbft, keyId } from "@xinglin/crypto/pure";
import type { BlockNotice, Ledger } from "@xinglin/ledger";
import { type ActorId, type Bytes, cbor, fromHex, type MemberId } from "@xinglin/primitives";
import { TestChain, testValidator } from "@xinglin/verifier/testing";
import { signStatement } from "../../src/probing/node-statement.ts";

export const CHAIN_ID = "test-0123456789abcdef01234567";
const sha = (text: string): Bytes => new Uint8Array(createHash("sha256").update(text).digest());

/** The administration of a member. */
export const administrationOf = (member: string): Identity => ({
  actor: member as ActorId,
  member: member as MemberId,
  signer: nodeEd25519Signer(sha(`administration ${member}`)),
});

export const urlOf = (member: string): string => `http://${member}.test`;

/** A chain of so many validators, its state, and a ledger's face for the prober. */
export class FakeChain {
  readonly chain: TestChain;
  readonly state = new Map<string, Bytes>();
  readonly submitted: Bytes[] = [];
  /** Thrown by the next submissions. */
  readonly faults: unknown[] = [];
  /** Height that this node has: it may be behind the chain. */
  behind = 0;
  readonly #listeners = new Set<(notice: BlockNotice) => void>();

  constructor(members: readonly string[]) {
    const validators = members.map((member) => testValidator(member));
    this.chain = new TestChain(CHAIN_ID, validators);
    for (const member of members) {
      const { signer } = administrationOf(member);
      const publicKey = { suite: "ed25519", key: signer.publicKey };
      const key = { id: keyId("ed25519", signer.publicKey), publicKey, since: 0 };
      this.put(keys.actor(member as ActorId), { kind: "member", member, status: "active", keys: [key] });
    }
    const candidates = validators.map(({ signer: { publicKey } }, i) => ({
      member: members[i],
      publicKey,
      address: cometbft.addressOf(publicKey),
      former: [],
      since: 0,
      standing: "fit",
      strikes: 0,
      score: 1_000_000,
    }));
    this.putElection(1, 0, candidates as never);
  }

  put(key: string, value: unknown): void {
    this.state.set(key, cbor.encode(value as never));
  }

  /** An epoch of a hundred blocks. */
  putElection(epoch: number, since: number, candidates?: readonly Candidate[]): void {
    const known = this.state.get(keys.election);
    const before = known === undefined ? undefined : (cbor.decodeTrusted(known) as { candidates: readonly Candidate[] });
    const all = candidates ?? before?.candidates ?? [];
    this.put(keys.election, { epoch, since, seats: 4, penalties: 0, candidates: all });
    this.put(keys.parameters, { election: { ...CONSORTIUM_ELECTION, epochBlocks: 100 } });
  }

  /** So many operations of the open epoch. */
  putTally(operations: number): void {
    this.put(keys.tally, { blocks: operations, operations, rows: [] });
  }

  async grow(blocks: number): Promise<void> {
    for (let i = 0; i < blocks; i++) {
      const { header } = await this.chain.next();
      const { height, time } = header;
      for (const listener of this.#listeners) listener({ height, time, entries: [], provable: height - 1 });
    }
  }

  lightBlock(height: number): Bytes | undefined {
    const block = height > this.height() ? undefined : this.chain.blocks[height - 1];
    return block === undefined ? undefined : cometbft.encodeLightBlock(block);
  }
  height(): number {
    return this.chain.blocks.length - this.behind;
  }

  readonly ledger = {
    chainId: CHAIN_ID,
    get: (key: string) => this.state.get(key),
    height: () => this.height(),
    lightBlock: (height: number) => this.lightBlock(height),
    newestLightBlock: () => this.lightBlock(this.height()) as Bytes,
    subscribe: (listener: (notice: BlockNotice) => void) => {
      this.#listeners.add(listener);
      return () => this.#listeners.delete(listener);
    },
    submit: async (bytes: Bytes) => {
      const fault = this.faults.shift();
      if (fault !== undefined) throw fault;
      this.submitted.push(bytes);
      return { id: new Uint8Array(32) };
    },
    receipt: (_id: Bytes, _stage: string, signal: AbortSignal) =>
      new Promise<never>((_, reject) => signal.addEventListener("abort", () => reject(signal.reason), { once: true })),
  } as unknown as Ledger;
}

/** How a node answers; what is left out it does well. */
export interface Conduct {
  readonly newest?: () => Bytes | Response;
  readonly range?: (blocks: Bytes[]) => Bytes[];
  readonly freeMegabytes?: number;
  readonly statement?: (nonce: Bytes) => Promise<Bytes>;
  /** Nobody is there. */
  readonly down?: boolean;
  /** Milliseconds that each kilobyte of a range takes. */
  readonly msPerKilobyte?: number;
}

/** The nodes behind `urlOf` each member, as a `fetch`; `pass` lets the clock of the test go on. */
export function fakeNodes(
  chain: FakeChain,
  conduct: (member: string) => Conduct,
  pass: (milliseconds: number) => void = () => {},
) {
  const asked: string[] = [];
  const answer = async (input: unknown): Promise<Response> => {
    const url = new URL(String(input));
    const member = url.hostname.replace(".test", "");
    asked.push(`${member}${url.pathname}`);
    const how = conduct(member);
    if (how.down === true) throw new TypeError("fetch failed");
    const bytes = (body: Bytes): Response => new Response(new Uint8Array(body));
    if (url.pathname === "/v1/node/statement") {
      const nonce = fromHex(url.searchParams.get("nonce") as string);
      const { freeMegabytes = 50_000 } = how;
      const own = { chain: CHAIN_ID, nonce, freeMegabytes };
      return bytes(await (how.statement?.(nonce) ?? signStatement(administrationOf(member), own)));
    }
    if (url.pathname === "/v1/light-blocks/newest") {
      const told = how.newest?.() ?? (chain.lightBlock(chain.height()) as Bytes);
      return told instanceof Response ? told : bytes(told);
    }
    const from = Number(url.searchParams.get("from"));
    const count = Number(url.searchParams.get("count"));
    const blocks = Array.from({ length: count }, (_, i) => chain.lightBlock(from + i) as Bytes);
    const body = cbor.encode(how.range?.(blocks) ?? blocks);
    const chunk = new ReadableStream<Uint8Array>(
      {
        pull(controller) {
          pass((body.length / 1000) * (how.msPerKilobyte ?? 0.1));
          controller.enqueue(new Uint8Array(body));
          controller.close();
        },
      },
      { highWaterMark: 0 },
    );
    return new Response(chunk);
  };
  return { fetch: answer as typeof fetch, asked };
}

/** Numbers from 0 to less than 1 that follow from a seed. */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
