/**
 * A custodian: keeps shares of content keys and nothing else, and releases one only on a permit that the chain proves, to the one key that
 * the permit pins, while nothing that the permit rests on has been withdrawn. It trusts no caller and no server.
 * Source: requirements C3, D9; design.md, "Consent, access, custody".
 */
import {
  actor as actorEntry,
  consentHead,
  credential,
  custodian as custodianEntry,
  encodeBody,
  encodeTransaction,
  keys,
  type MedicalRecord,
  mayBeErased,
  member as memberEntry,
  type Operation,
  type Permit,
  permit as permitEntry,
  record as recordEntry,
  type SuiteId,
} from "@xinglin/contracts";
import { checkShare, hpkeOpen, hpkeSeal, randomBytes, type Signer } from "@xinglin/crypto";
import { keyId, sha256 } from "@xinglin/crypto/pure";
import {
  type ActorId,
  type Bytes,
  cbor,
  equal,
  Fault,
  type Height,
  type MemberId,
  type RecordId,
  toHex,
  type UnixSeconds,
} from "@xinglin/primitives";
import { type BulkDepositReceipt, bulkDepositBody, bulkDepositRequest } from "./bulk-contract.ts";
import { openBulkDeposit } from "./bulk-deposit.ts";
import { ChainFollower, type ChainTrust, type ChainView } from "./chain-view.ts";
import * as contract from "./contract.ts";
import { requireDepositor } from "./depositor.ts";
import { endedShares, type Read, reading } from "./ended-shares.ts";
import type { CustodianService } from "./service.ts";
import { encodeKeyShareInfo } from "./share-info.ts";
import { ShareStore } from "./share-store.ts";

/** How long a custodian's own transactions stay valid. */
const TRANSACTION_SECONDS = 300;
const TRANSACTION_BLOCKS = 1_000;

export interface CustodianOptions {
  readonly id: ActorId;
  readonly member: MemberId;
  /** Folder of the shares, for the owner only. */
  readonly directory: string;
  /** Signs the custodian's own transactions. */
  readonly signer: Signer;
  /** Private X-Wing key to which shares are sealed. */
  readonly hpkePrivateKey: Bytes;
  readonly trust: ChainTrust;
}

export class Custodian implements CustodianService {
  readonly id: ActorId;
  readonly #options: CustodianOptions;
  readonly #shares: ShareStore;
  readonly #chain: ChainFollower;

  constructor(options: CustodianOptions) {
    this.id = options.id;
    this.#options = options;
    this.#shares = new ShareStore(options.directory);
    this.#chain = new ChainFollower(options.trust);
  }

  /**
   * Takes one share, if an active actor of an active member signed the deposit and the share is the one that was committed to. It is kept for
   * records of that member only.
   * Answers an encoded `depositAnswer`, so that the depositor need not believe who passed it on.
   */
  async deposit(requestBytes: Bytes): Promise<Bytes> {
    const request = contract.read(contract.depositRequest, requestBytes);
    const body = contract.read(contract.depositBody, request.body);
    this.#requireAddressed(body.custodian);
    const view = await this.#chain.view(body.chain, request.state);
    const source = requireDepositor(view, this.#chain, this.#options.trust, { ...body, ...request });
    const { record, version, epoch, custodian, index } = body;
    const info = encodeKeyShareInfo({ chain: body.chain, record, version, epoch, custodian, index });
    const opening = await this.#openShare(body.sealed, info);
    if (opening.index !== index || !checkShare(opening, body.commitments, body.count)) throw new Fault("share_wrong", { index });
    this.#shares.put({ source, record, version, epoch }, cbor.encode({ commitments: body.commitments, opening }));
    const { chain, commitments } = body;
    const told = { type: "xinglin-deposit-receipt/1", chain, custodian, record, version, epoch, index, commitments } as const;
    const receipt = cbor.encode(told satisfies contract.DepositReceipt);
    return cbor.encode({ receipt, signature: await this.#options.signer.sign(receipt) });
  }

  /** As `deposit`, of the shares of many records' first versions at once: all of them are kept, or none. */
  async depositMany(requestBytes: Bytes): Promise<Bytes> {
    const request = contract.read(bulkDepositRequest, requestBytes);
    const body = contract.read(bulkDepositBody, request.body);
    this.#requireAddressed(body.custodian);
    const view = await this.#chain.view(body.chain, request.state);
    const source = requireDepositor(view, this.#chain, this.#options.trust, { ...body, ...request });
    const deposit = sha256(request.body);
    this.#shares.putMany(source, toHex(deposit), await openBulkDeposit(body, this.#options.hpkePrivateKey));
    const { chain, custodian, shares } = body;
    const told = { type: "xinglin-bulk-deposit-receipt/1", chain, custodian, deposit, shares } as const;
    const receipt = cbor.encode(told satisfies BulkDepositReceipt);
    return cbor.encode({ receipt, signature: await this.#options.signer.sign(receipt) });
  }

  /** Releases the share that a proven, unexpired permit names, sealed to the key that the permit pins. Answers an encoded `releaseAnswer`. */
  async release(requestBytes: Bytes): Promise<Bytes> {
    const request = contract.read(contract.releaseRequest, requestBytes);
    this.#requireAddressed(request.custodian);
    const view = await this.#chain.view(request.chain, request.state);
    const { patient, number } = request;
    const permit = view.read(keys.access(patient, number), permitEntry);
    if (permit === undefined) throw new Fault("permit_missing", { patient, number });
    this.#requireRedeemable(view, request, permit);

    const { record } = permit.target;
    const version = permit.target.kind === "record" ? permit.target.version : 1;
    const { epoch } = permit.custody;
    const stored = cbor.decodeTrusted(this.#shares.get({ source: permit.source, record, version, epoch })) as {
      commitments: Bytes;
      opening: { index: number };
    };
    if (!equal(stored.commitments, permit.custody.commitments)) throw new Fault("share_wrong", { index: stored.opening.index });
    const { index } = stored.opening;
    const info = encodeKeyShareInfo({
      chain: request.chain,
      record,
      version,
      epoch,
      custodian: this.id,
      index,
      permit: { patient, number },
    });
    const sealed = await hpkeSeal(request.hpke, info, new Uint8Array(), cbor.encode(stored.opening));
    const transaction = await this.#sign(view, { op: "recordRelease", patient, number, index });
    return cbor.encode({ index, sealed, transaction });
  }

  /** Erases the share of a record version that the chain says is ended, withdrawn, misfiled or replaced and ended. Answers an encoded `erasureAnswer`. */
  async erase(requestBytes: Bytes): Promise<Bytes> {
    const request = contract.read(contract.erasureRequest, requestBytes);
    this.#requireAddressed(request.custodian);
    const view = await this.#chain.view(request.chain, request.state);
    const { record, version } = request;
    const newest = view.read(keys.record(record), recordEntry);
    if (newest === undefined) throw new Fault("record_unknown", { record });
    const named = newest.version === version ? newest : view.read(keys.recordVersion(record, version), recordEntry);
    if (named === undefined || !mayBeErased(named, newest)) throw new Fault("record_in_force", { record, version });
    if (!named.custody.custodians.includes(this.id)) throw new Fault("not_a_custodian", { custodian: this.id });
    this.#eraseAllEpochs(record, version, named);
    return cbor.encode({ transaction: await this.#sign(view, { op: "recordErasure", record, version }) });
  }

  /**
   * Erases again what a folder that was put back from an old copy holds of records that have ended, or of versions whose erasure this custodian
   * has signed, those deposited in bulk too. `get` reads the committed state; without it the custodian's own node is asked, and its answers verified,
   * which takes a request a share: it may be done while releases are served, since each of them asks the chain about its record. Stops at
   * `signal`. Returns how many shares. Faults without `get`: those of a release's proofs.
   */
  async eraseEnded(get?: (key: string) => Bytes | undefined, signal?: AbortSignal): Promise<number> {
    const read = get === undefined ? (names: readonly string[]) => this.#newest(names) : () => reading(get);
    let erased = 0;
    for await (const { name, named } of endedShares(this.#shares.list(), this.id, read, signal)) {
      this.#eraseAllEpochs(name.record, name.version, named);
      if (!this.#shares.holds(name)) erased++;
    }
    return erased;
  }

  async #newest(names: readonly string[]): Promise<Read> {
    const state = await this.#options.trust.newest?.(names);
    if (state === undefined) throw new Fault("ledger_unavailable", {}, { retry: true });
    return (await this.#chain.view(this.#chain.chain, state)).read;
  }

  /** Shares of every epoch restore the same key, so all of them go. */
  #eraseAllEpochs(record: RecordId, version: number, { source, custody }: MedicalRecord): void {
    for (let epoch = 1; epoch < custody.epoch; epoch++) {
      const earlier = { source, record, version, epoch };
      if (this.#shares.holds(earlier)) this.#shares.erase(earlier);
    }
    this.#shares.erase({ source, record, version, epoch: custody.epoch });
  }

  #requireAddressed(custodian: ActorId): void {
    if (custodian !== this.id) throw new Fault("not_a_custodian", { custodian });
  }

  /** Every condition a permit rests on, in the order of the refusal codes. */
  #requireRedeemable(view: ChainView, request: contract.ReleaseRequest, permit: Permit): void {
    const { patient } = request;
    const { grantee } = permit;
    if (!permit.custody.custodians.includes(this.id)) throw new Fault("not_a_custodian", { custodian: this.id });
    if (Math.max(view.time, this.#options.trust.now()) >= permit.expiresAt)
      throw new Fault("permit_expired", { expiresAt: permit.expiresAt });
    if (!equal(sha256(request.hpke), permit.hpke)) throw new Fault("hpke_not_pinned");
    if (permit.basis !== "free") {
      const head = view.read(keys.consentHead(patient), consentHead);
      // A patient who never wrote a directive has no head: reviewed classes may be read without one.
      if ((head?.restrictions ?? 0) !== permit.restrictions) throw new Fault("consent_restricted", { patient });
    }
    const actor = view.read(keys.actor(grantee.actor), actorEntry);
    const keyInForce = actor?.keys.some(({ id, until }) => id === grantee.key && until === undefined) === true;
    if (actor?.status !== "active" || !keyInForce) throw new Fault("grantee_suspended", { actor: grantee.actor });
    if (view.read(keys.member(grantee.member), memberEntry)?.status !== "active")
      throw new Fault("grantee_suspended", { member: grantee.member });
    const held = view.read(keys.credential(grantee.credential), credential);
    if (held?.status !== "active" || held.notBefore > view.time || held.notAfter <= view.time)
      throw new Fault("credential_not_in_force", { credential: grantee.credential });
    this.#requireOpenRecord(view, patient, permit);
    // One that the committee retired takes no new share, and still releases what the permit's epoch left with it.
    if (view.read(keys.custodian(this.id), custodianEntry) === undefined)
      throw new Fault("not_a_custodian", { custodian: this.id });
  }

  /** A record of its own must still be the permitted version, in the permitted epoch of its custody; a leaf of a batch must have no record of its own standing over it. */
  #requireOpenRecord(view: ChainView, patient: ActorId, { target, source, custody }: Permit): void {
    const record = view.read(keys.record(target.record), recordEntry);
    const open =
      target.kind === "record"
        ? record?.status === "current" &&
          record.version === target.version &&
          record.patient === patient &&
          record.custody.epoch === custody.epoch
        : record?.source !== source;
    if (!open) throw new Fault("record_closed", { record: target.record });
  }

  async #openShare(sealed: Bytes, info: Bytes): Promise<{ index: number; share: Bytes; salt: Bytes; path: Bytes[] }> {
    let opened: Bytes;
    try {
      opened = await hpkeOpen(this.#options.hpkePrivateKey, info, new Uint8Array(), sealed);
    } catch (cause) {
      throw new Fault("share_sealed_wrong", {}, { cause });
    }
    return contract.read(contract.shareOpening, opened);
  }

  async #sign(view: ChainView, operation: Operation): Promise<Bytes> {
    const { signer, member } = this.#options;
    const suite = signer.suite as SuiteId;
    const body = encodeBody({
      type: "xinglin-transaction/1",
      chain: this.#chain.chain,
      signer: { actor: this.id, key: keyId(suite, signer.publicKey), suite },
      sponsor: member,
      notAfter: { time: (view.time + TRANSACTION_SECONDS) as UnixSeconds, height: (view.height + TRANSACTION_BLOCKS) as Height },
      nonce: randomBytes(16),
      operations: [operation],
    });
    return encodeTransaction(body, await signer.sign(body));
  }
}
