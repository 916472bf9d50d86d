/**
 * Records rounds on the chain under a key of the node, and keeps the secret of the next one. Whenever it is killed, the next call goes on: what stands on the chain is
 * recognised by its root. Source: docs/internals/archive.md, "Recorded rounds".
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Identity, signTransaction } from "@xinglin/client";
import { type AuditBatch, getAudit, getAuditHead, type RecordAudits } from "@xinglin/contracts";
import { randomBytes } from "@xinglin/crypto";
import { writeFileDurably } from "@xinglin/custody";
import { type AuditDraw, commitmentOf, countStatements } from "@xinglin/gateway";
import type { Ledger } from "@xinglin/ledger";
import { type Bytes, equal, Fault, type UnixSeconds } from "@xinglin/primitives";
import { decodeLightBlock, headerHash } from "@xinglin/verifier";

const SECRET_BYTES = 32;
/** Rounds that are looked through for the newest commitment, or for one whose receipt was lost: an administrator's audits may stand between. */
const LOOK_BACK = 32;
const TRIES = 4;

/** What of a ledger is needed. */
export type RecordingLedger = Pick<
  Ledger,
  "chainId" | "get" | "height" | "lightBlock" | "newestLightBlock" | "receipt" | "submit"
>;

export class Recorder {
  readonly #ledger: RecordingLedger;
  readonly #by: Identity;
  readonly #secretFile: string;
  readonly #now: () => number;

  /** `folder` is there. `now` in milliseconds. */
  constructor(ledger: RecordingLedger, by: Identity, folder: string, now: () => number) {
    this.#ledger = ledger;
    this.#by = by;
    this.#secretFile = join(folder, "next-secret");
    this.#now = now;
  }

  /** The draw of a new round: from the secret that the last one committed to and the block after that, or else fresh. */
  draw(): AuditDraw {
    const secret = this.#secret();
    const committed =
      secret === undefined ? undefined : this.#find(({ next }) => next !== undefined && equal(next, commitmentOf(secret)));
    const block = committed === undefined ? undefined : this.#ledger.lightBlock(committed.batch.at.height + 1);
    if (secret !== undefined && committed !== undefined && block !== undefined) {
      const { header } = decodeLightBlock(block);
      return { secret, committed: committed.number, height: header.height, hash: headerHash(header) };
    }
    const { header } = decodeLightBlock(this.#ledger.newestLightBlock());
    return { secret: randomBytes(SECRET_BYTES), height: header.height, hash: headerHash(header) };
  }

  /** Records statements, unless they are on the chain already. Returns the round's number. Throws the rules' refusals, and what `Ledger.submit` rejects with. */
  async record(statements: readonly Bytes[], endangered: number, signal: AbortSignal): Promise<number> {
    const counts = countStatements(statements);
    const known = this.#find(({ root }) => equal(root, counts.root));
    if (known !== undefined) return known.number;
    const secret = randomBytes(SECRET_BYTES);
    writeFileDurably(this.#secretFile, secret);
    const found = { ...counts, endangered, next: commitmentOf(secret) };
    for (let tries = 1; ; tries++) {
      const number = getAuditHead(this.#ledger, this.#by.member).count + 1;
      const code = await this.#submit({ number, ...found }, signal);
      if (code === undefined) return number;
      if (code !== "audit_number_wrong" || tries === TRIES) throw new Fault(code);
    }
  }

  /** The code of a refusal. */
  async #submit(round: RecordAudits, signal: AbortSignal): Promise<string | undefined> {
    const { chainId } = this.#ledger;
    const tip = { chainId, height: this.#ledger.height(), time: Math.floor(this.#now() / 1000) as UnixSeconds };
    const { id, bytes } = await signTransaction(tip, this.#by, [{ op: "recordAudits", ...round }]);
    await this.#ledger.submit(bytes);
    const { results } = await this.#ledger.receipt(id, "committed", signal);
    return results[0]?.code;
  }

  #find(isIt: (batch: AuditBatch) => boolean): { readonly number: number; readonly batch: AuditBatch } | undefined {
    const { member } = this.#by;
    const { count } = getAuditHead(this.#ledger, member);
    for (let number = count; number > Math.max(0, count - LOOK_BACK); number--) {
      const batch = getAudit(this.#ledger, member, number);
      if (batch !== undefined && isIt(batch)) return { number, batch };
    }
    return undefined;
  }

  #secret(): Bytes | undefined {
    try {
      const secret = Uint8Array.from(readFileSync(this.#secretFile));
      return secret.length === SECRET_BYTES ? secret : undefined;
    } catch {
      return undefined; // no round was ever recorded
    }
  }
}
