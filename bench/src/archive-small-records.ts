/**
 * Many small records, from content to anchor: packs on fourteen stores, deposits in bulk at six custodians that hold every share against its
 * commitments, a Merkle root over all leaves. Custodians and stores are in this process, each over its own folder; only the anchor is left out.
 */
import { randomBytes } from "node:crypto";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { packRecords, retrieveRecord, type Store } from "@xinglin/archive";
import { type BatchLeaf, encodeBatchLeaf } from "@xinglin/contracts";
import { hpkeKeyPair } from "@xinglin/crypto";
import { nodeEd25519Signer, nodeSha256 } from "@xinglin/crypto/node";
import { merkle } from "@xinglin/crypto/pure";
import { bulkDepositBody, bulkDepositRequest, openBulkDeposit, read, ShareStore } from "@xinglin/custody";
import { MAX_BULK_SHARES, prepareBulkDeposits } from "@xinglin/custody/client";
import { type ActorId, type MemberId, type RecordId, toHex } from "@xinglin/primitives";
import { growthExponent, type Measure, timed } from "./measure.ts";

/** A million is a suite of its own, `records`: it takes a quarter of an hour. */
const SIZES = [1_000, 10_000, 100_000];
const RESULT_BYTES = 700;
const CUSTODIANS = 6;
const THRESHOLD = 4;
const SOURCE = "hospital-a" as MemberId;
const CHAIN = "bench-0";
/** Records that are read back of each run, spread over it. */
const READ_BACK = 20;
/** Two million in 48 hours. */
const DEMAND = 2e6 / (48 * 3_600);

interface Cost {
  readonly size: number;
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly storeFiles: number;
  readonly custodianFiles: number;
}

/** Emits `small-records`, records a second, and `small-records-files`, files at one store and one custodian, with how both grow. */
export async function measureSmallRecords(
  quick: boolean,
  storesOf: (folder: string) => Promise<readonly Store[]>,
  emit: (measure: Measure) => void,
  sizes: readonly number[] = SIZES,
): Promise<void> {
  if (quick) {
    for (const measure of ["small-records", "small-records-files"])
      emit({ measure, skipped: "a hundred thousand records take minutes: leave --quick out" });
    return;
  }
  const costs: Cost[] = [];
  for (const size of sizes) costs.push(await costOf(size, storesOf));
  const largest = costs.at(-1) as Cost;
  const { size, seconds, cpuSeconds, storeFiles, custodianFiles } = largest;
  const growth = growthExponent(costs.map(({ size, cpuSeconds }) => ({ size, cost: cpuSeconds })));
  emit({
    measure: "small-records",
    value: size / seconds,
    unit: "records/s",
    conditions: {
      records: size,
      bytes: RESULT_BYTES,
      stores: 14,
      custodians: `${THRESHOLD} of ${CUSTODIANS}`,
      cpu: `${Math.round((cpuSeconds / size) * 1e6)} µs a record, all custodians included`,
      growth: `records^${growth.toFixed(2)} in CPU time`,
      counted: "packed, stored, shares deposited, checked and kept, leaves hashed; without the transaction",
      demand: `≥ ${DEMAND.toFixed(1)} (2 M in 48 h)`,
    },
  });
  emit({
    measure: "small-records-files",
    value: Math.max(storeFiles, custodianFiles),
    unit: "files",
    conditions: {
      records: costs.map(({ size }) => size).join(", "),
      store: costs.map((cost) => cost.storeFiles).join(", "),
      custodian: costs.map((cost) => cost.custodianFiles).join(", "),
      counted: "the most of one store or custodian",
    },
  });
}

async function costOf(size: number, storesOf: (folder: string) => Promise<readonly Store[]>): Promise<Cost> {
  const folder = await mkdtemp(join(tmpdir(), "xinglin-bench-records-"));
  try {
    const stores = await storesOf(join(folder, "stores"));
    const custodians = await Promise.all(Array.from({ length: CUSTODIANS }, (_, i) => custodianAt(folder, i)));
    const { seconds, cpuSeconds } = await timed(() => importAll(size, stores, custodians));
    const count = async (path: string): Promise<number> =>
      (await readdir(path, { recursive: true, withFileTypes: true })).filter((one) => one.isFile()).length;
    const storeFiles = Math.max(
      ...(await Promise.all((await readdir(join(folder, "stores"))).map((name) => count(join(folder, "stores", name))))),
    );
    return { size, seconds, cpuSeconds, storeFiles, custodianFiles: await count(join(folder, "custodian-0")) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

interface BenchCustodian {
  readonly id: ActorId;
  readonly hpke: Uint8Array;
  readonly hpkePrivateKey: Uint8Array;
  readonly shares: ShareStore;
}

async function custodianAt(folder: string, i: number): Promise<BenchCustodian> {
  const { publicKey, privateKey } = await hpkeKeyPair();
  const id = `custodian-${i}` as ActorId;
  return { id, hpke: publicKey, hpkePrivateKey: privateKey, shares: new ShareStore(join(folder, id)) };
}

function* contents(size: number): Generator<Uint8Array> {
  for (let n = 0; n < size; n++) yield contentOf(n);
}
const contentOf = (n: number): Uint8Array =>
  Buffer.alloc(RESULT_BYTES, `{"resourceType":"Observation","status":"final","n":${n}}`);

async function importAll(size: number, stores: readonly Store[], custodians: readonly BenchCustodian[]): Promise<void> {
  const depositor = { actor: SOURCE as string as ActorId, signer: nodeEd25519Signer(randomBytes(32)) };
  const hashes: Uint8Array[] = [];
  for await (const pack of packRecords(contents(size), { stores })) {
    const object = { id: pack.objectId, ...pack.reference };
    const first = hashes.length;
    for (let at = 0; at < pack.records.length; at += MAX_BULK_SHARES) {
      const part = pack.records.slice(at, at + MAX_BULK_SHARES);
      const records = part.map(({ key }) => ({ record: toHex(randomBytes(16)) as RecordId, contentKey: key }));
      const deposits = await prepareBulkDeposits({
        chain: CHAIN,
        records,
        threshold: THRESHOLD,
        recipients: custodians,
        depositor,
        time: 1_800_000_000 as never,
      });
      for (const { id, hpkePrivateKey, shares } of custodians) {
        const request = deposits.request(id, {
          height: 1 as never,
          lightBlock: new Uint8Array(1),
          proofs: [{ key: "k", proof: new Uint8Array(1) }],
        });
        const { body } = read(bulkDepositRequest, request);
        shares.putMany(SOURCE, toHex(nodeSha256(body)), await openBulkDeposit(read(bulkDepositBody, body), hpkePrivateKey));
      }
      records.forEach(({ record }, i) => {
        const leaf = {
          salt: randomBytes(32),
          record,
          patient: record as string as ActorId,
          class: { level: "sensitive", category: "laboratory" },
          format: "fhir",
        } as const;
        const slice = part[i]?.slice as NonNullable<BatchLeaf["object"]["slice"]>;
        const custody = deposits.custodies[i] as BatchLeaf["custody"];
        hashes.push(merkle.leafHash(encodeBatchLeaf({ ...leaf, object: { ...object, slice }, custody }), nodeSha256));
      });
    }
    const { objectId: packId, reference } = pack;
    const step = Math.max(1, Math.floor(size / READ_BACK));
    for (let i = 0; i < pack.records.length; i++) {
      const n = first + i;
      if (n % step !== 0) continue;
      const { slice, key } = pack.records[i] as (typeof pack.records)[number];
      const { content } = await retrieveRecord({ reference, packId, slice }, key, stores);
      if (!Buffer.from(content).equals(contentOf(n))) throw new Error(`record ${n} reads back wrong`);
    }
  }
  if (hashes.length !== size) throw new Error("records are missing");
  merkle.rootOfHashes(hashes, nodeSha256);
}
