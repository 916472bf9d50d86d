/**
 * The archive over fourteen IPFS nodes on loopback, real processes each with its own folder: import, and retrieval with four of them killed. The
 * limit takes the same pieces from the ten that are left, over the same calls, and does nothing with them.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { Agent, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  closeWorkers,
  decodeTable,
  type Ingested,
  ingest,
  openStores,
  rawCid,
  retrieve,
  retrieveFiles,
  type Store,
} from "@xinglin/archive";
import { builtIpfsNode, ensureIpfsNode, type IpfsNode, startIpfsNode } from "@xinglin/engines";
import { Fault } from "@xinglin/primitives";
import { measureRange } from "./archive-range.ts";
import { compare, type Emit, GONE, K, M, MEGABYTE, mb, type Study } from "./archive-study.ts";
import { best, interleave, median, timed } from "./measure.ts";

const NODES = K + M;
const MEASURES = [
  "import-network",
  "retrieve-network",
  "range-network",
  "range-network-holder-dead",
  "range-network-holder-hangs",
];
/** As many calls as a reader that asks ahead has on their way. */
const IN_FLIGHT = 20;
const MAX_TABLE_BYTES = 16e6;
const QUICK_FILES = 100;

/** Emits `import-network`, `retrieve-network` and the reads of chunks. A quick run takes the first files only, and nothing if the node is not built: that takes minutes. */
export async function measureNetwork(whole: Study, quick: boolean, emit: Emit): Promise<void> {
  const study = quick ? firstOf(whole, QUICK_FILES) : whole;
  const program = await programFor(quick);
  if (typeof program !== "string") {
    for (const measure of MEASURES) emit({ measure, skipped: program.missing });
    return;
  }
  const folder = await mkdtemp(join(tmpdir(), "xinglin-bench-ipfs-"));
  const nodes: IpfsNode[] = [];
  try {
    for (let i = 0; i < NODES; i++)
      nodes.push(await startIpfsNode({ program, folder: join(folder, `${i}`), swarmKeyFile: join(folder, "swarm.key") }));
    const descriptions = nodes.map(({ api }, i) => ({ kind: "ipfs" as const, id: `n-${i}`, member: `m-${i}`, api }));
    const stores = await openStores(descriptions, { create: true });
    const object = await measureImport(study, stores, quick ? 1 : 3, emit);
    const source = { study, stores, object };
    const reads = quick ? 8 : 60;
    await measureRange({ measure: "range-network", source, reads, state: `${NODES} nodes`, demand: "≤ 50 ms" }, emit);
    const [first, ...others] = nodes.slice(0, GONE) as [IpfsNode, ...IpfsNode[]];
    first.kill("SIGSTOP");
    const hangs = { source, holders: stores.slice(0, 1), state: `${NODES} nodes, one says nothing`, demand: "≤ 150 ms" };
    await measureRange({ measure: "range-network-holder-hangs", ...hangs, reads }, emit);
    first.kill("SIGCONT");
    for (const node of [first, ...others]) {
      node.kill();
      await node.ended;
    }
    const dead = { source, holders: stores.slice(0, GONE), state: `${NODES - GONE} of ${NODES} nodes`, demand: "≤ 150 ms" };
    await measureRange({ measure: "range-network-holder-dead", ...dead, reads }, emit);
    await measureRetrieval(study, { stores, object, apis: nodes.map(({ api }) => api), folder }, quick ? 2 : 5, emit);
  } finally {
    await closeWorkers();
    await Promise.all(nodes.map((node) => node.stop()));
    await rm(folder, { recursive: true, force: true });
  }
}

const firstOf = ({ folder, files, sizeBytes }: Study, count: number): Study => ({
  folder,
  files: files.slice(0, count),
  sizeBytes: (sizeBytes * Math.min(count, files.length)) / files.length,
});

async function programFor(quick: boolean): Promise<string | { readonly missing: string }> {
  if (quick)
    return (await builtIpfsNode()) ?? { missing: "the IPFS node is not built: leave --quick out, or run npm run ipfs once" };
  try {
    return await ensureIpfsNode();
  } catch (cause) {
    if (cause instanceof Fault && cause.code === "go_missing") return { missing: `IPFS node is not built: ${cause.message}` };
    throw cause;
  }
}

async function measureImport(study: Study, stores: readonly Store[], rounds: number, emit: Emit): Promise<Ingested> {
  let kept: Ingested | undefined;
  const samples: number[] = [];
  for (let round = 0; round < rounds; round++) {
    if (kept !== undefined) for (const store of stores) await store.remove(kept.objectId);
    const { result, seconds } = await timed(() => ingest(study.files, { stores }));
    kept = result;
    samples.push(study.sizeBytes / MEGABYTE / seconds);
  }
  emit({
    measure: "import-network",
    value: median(samples),
    unit: "MB/s",
    conditions: { size: mb(study.sizeBytes), nodes: NODES, counted: "source bytes; every block written through to the disk" },
    samples,
  });
  return kept!;
}

interface Network {
  readonly stores: readonly Store[];
  readonly object: Ingested;
  readonly apis: readonly string[];
  readonly folder: string;
}

async function measureRetrieval(
  study: Study,
  { stores, object, apis, folder }: Network,
  rounds: number,
  emit: Emit,
): Promise<void> {
  const { reference, objectId, key } = object;
  const calls = await pieceCalls(stores, object, apis);
  const destination = join(folder, "out");
  const firsts: number[] = [];
  const cpus: number[] = [];
  const samples = await interleave(
    rounds,
    {
      ours: async () => {
        await rm(destination, { recursive: true, force: true });
        firsts.push(await firstByteMs(stores, object));
        const { result, seconds, cpuSeconds } = await timed(() => retrieve(reference, objectId, key, stores, destination));
        const gone = result.troubles.filter(({ kind }) => kind === "absent").length; // beside them one may have been slow
        if (gone !== GONE || result.rebuiltPieces === 0) throw new Error("the nodes were not gone");
        await compare(study, join(destination, "study"));
        cpus.push(study.sizeBytes / MEGABYTE / cpuSeconds);
        return study.sizeBytes / MEGABYTE / seconds;
      },
      limit: async () => {
        const { seconds } = await timed(() => takeAll(calls));
        return study.sizeBytes / MEGABYTE / seconds;
      },
    },
    1,
  );
  const value = median(samples.ours);
  const limit = best(samples.limit);
  emit({
    measure: "retrieve-network",
    value,
    unit: "MB/s",
    limit: { name: "the same pieces over HTTP from the ten nodes that are left, and nothing done with them", value: limit },
    ratio: value / limit,
    conditions: {
      size: mb(study.sizeBytes),
      nodes: `${NODES - GONE} of ${NODES}`,
      bytes: "identical",
      "first byte": `${Math.round(median(firsts))} ms`,
      "first byte, worst": `${Math.round(Math.max(...firsts))} ms`,
      cpu: `${Math.round(median(cpus))}MB/cpu-s`,
      demand: ">= 85, first byte <= 300 ms",
    },
    samples: samples.ours,
  });
}

/** Until the first bytes of the first file are there. */
async function firstByteMs(stores: readonly Store[], { reference, objectId, key }: Ingested): Promise<number> {
  const start = performance.now();
  for await (const file of retrieveFiles(reference, objectId, key, stores)) {
    for await (const _ of file.content) return performance.now() - start;
  }
  throw new Error("no bytes came");
}

/** Where each piece lies that the nodes left hold. */
async function pieceCalls(stores: readonly Store[], { reference, objectId }: Ingested, apis: readonly string[]): Promise<URL[]> {
  const pack = await stores[NODES - 1]!.open(objectId);
  const table = decodeTable((await pack!.readDocument("table", MAX_TABLE_BYTES))!, reference, objectId);
  const { placement, stripes } = table.header;
  const calls: URL[] = [];
  for (let stripe = 0; stripe < stripes; stripe++)
    for (let column = 0; column < NODES; column++) {
      const holder = placement[(column + stripe) % NODES]!;
      const index = stores.findIndex(({ id }) => id === holder);
      if (index < GONE) continue;
      calls.push(new URL(`/api/v0/block/get?arg=${rawCid(table.leaf(stripe, column))}&offline=true`, apis[index]!));
    }
  return calls;
}

async function takeAll(calls: readonly URL[]): Promise<void> {
  const agent = new Agent({ keepAlive: true });
  let next = 0;
  const take = (url: URL): Promise<void> =>
    new Promise((resolve, reject) => {
      const call = request(url, { method: "POST", agent }, (answer) => {
        answer.resume().on("end", resolve);
      });
      call.on("error", reject).end();
    });
  const worker = async (): Promise<void> => {
    while (next < calls.length) await take(calls[next++]!);
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, worker));
  agent.destroy();
}
