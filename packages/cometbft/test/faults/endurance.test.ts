/**
 * A node that runs for thousands of blocks under load and lets the old ones go: what it keeps on disk, what CometBFT keeps, and the memory of both
 * do not grow with the blocks. What stays for good are the records: the state and the audit log, some 1.5 KB of every operation here.
 *
 * `XINGLIN_ENDURANCE_BLOCKS=20000` runs for longer; `XINGLIN_ENDURANCE_KEEP=1` keeps all blocks, to see that it is found.
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { Ledger } from "@xinglin/ledger";
import { anchor, signed } from "@xinglin/ledger/testing/chain";
import { Fault } from "@xinglin/primitives";
import { DATABASE_OPTIONS } from "@xinglin/state";
import { ClassicLevel } from "classic-level";
import type { LocalNode } from "../../src/testing/local-network.ts";
import { engineTest, network, untilHeight } from "../support/network.ts";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

const ASKED = process.env.XINGLIN_ENDURANCE_BLOCKS;
const BLOCKS = Number(ASKED ?? 2_000);
/** A slow machine makes fewer, unless it is asked to. */
const MOST_MS = ASKED === undefined ? 45_000 : Number.POSITIVE_INFINITY;
const KEEPS_ALL = process.env.XINGLIN_ENDURANCE_KEEP !== undefined;
const SAMPLE_BLOCKS = 40;
const MEGABYTE = 1_000_000;
/** Evidence counts for so long, on this chain, and blocks are kept for no longer: were they let go earlier, CometBFT would keep their headers for ever. */
const EVIDENCE = { maxAgeBlocks: 100, maxAgeSeconds: 1 };
const RETENTION = { retention: { keepBlocks: 1, evidence: EVIDENCE }, snapshotBlocks: 50 };
/** Validity of a transaction: for so long its block stays, so that its receipt can be told. */
const VALID_SECONDS = 3;
/** Idle blocks after which nothing is valid any more. */
const IDLE_BLOCKS = 12;
const SIDE_BY_SIDE = 4;
/** What an operation leaves for good, at most. */
const OPERATION_BYTES = 3_000;
/** What may come on top, in megabytes: some blocks more or less, caches of a bounded size that fill up, and of Go what it has not collected yet. */
const SLACK = 0.1;
const HEAP_GROWTH = 5;
const NODE_GROWTH = 40;
const ENGINE_GROWTH = 100;

/** Megabytes of memory at some height. */
type Memory = { readonly heap: number; readonly node: number; readonly engine: number };
/** Of what is on disk, in megabytes, once both databases have tidied up; and what was written so far. */
interface Kept {
  readonly height: number;
  readonly operations: number;
  /** Rows of blocks in the ledger's database. */
  readonly blocks: number;
  /** Its files, with the snapshots. */
  readonly ledger: number;
  readonly engine: number;
}

engineTest("what a node keeps, on disk and in memory, does not grow with its blocks", async (context, binary) => {
  const parameters = { maxBlockGapSeconds: 1, logEpochEntries: 1_000 };
  const options = { verifyWorkers: 1, evidenceAge: EVIDENCE, ...(KEEPS_ALL ? {} : RETENTION) };
  const node = (await network(context, binary, 1, parameters, { optionsOf: () => options })).nodes[0]!;
  let sent = 0;
  let named = 0;
  /** Runs until so many blocks are there, or for so long; what memory was used on the way. */
  const run = async (blocks: number, mostMs: number): Promise<Memory[]> => {
    const { ledger } = node;
    const started = performance.now();
    const goesOn = (): boolean => ledger.height() < blocks && performance.now() - started < mostMs;
    const send = async (): Promise<void> => {
      while (goesOn()) {
        const bytes = await anchorOne(ledger, `${named++}`);
        sent += bytes;
      }
    };
    const samples: Memory[] = [];
    const watch = async (): Promise<void> => {
      while (goesOn()) {
        await untilHeight(ledger, ledger.height() + SAMPLE_BLOCKS);
        collect();
        samples.push({ ...ourMemory(), engine: (await residentOf(ledger.engine.pid)) / MEGABYTE });
      }
    };
    await Promise.all([watch(), ...Array.from({ length: SIDE_BY_SIDE }, send)]);
    await untilHeight(ledger, ledger.height() + IDLE_BLOCKS);
    return samples;
  };

  await run(BLOCKS / 4, MOST_MS / 4);
  const before = await kept(node, binary);
  const sentBefore = sent;
  const samples = await run(BLOCKS, (3 * MOST_MS) / 4);
  const after = await kept(node, binary);

  const weight = (sent - sentBefore) / MEGABYTE;
  context.diagnostic(
    `${after.height} blocks; then ${after.height - before.height} with ${after.operations - before.operations} operations, ${weight.toFixed(2)} MB`,
  );
  const [middle, last] = [1, 2].map((n) => samples.slice((n * samples.length) / 3, ((n + 1) * samples.length) / 3));
  assert.ok(middle!.length > 0 && last!.length > 0, `only ${samples.length} samples`);
  const most = (all: readonly Memory[] | undefined, of: keyof Memory): number => Math.max(...all!.map((memory) => memory[of]));
  const table: [string, number, number, number][] = [
    // Were they kept, blocks would be on either disk with all bytes of their transactions and more.
    ["what the ledger keeps of blocks", before.blocks, after.blocks, weight / 2 + SLACK],
    ["the ledger's disk", before.ledger, after.ledger, ((after.operations - before.operations) * OPERATION_BYTES) / MEGABYTE],
    ["CometBFT's disk", before.engine, after.engine, weight / 4 + SLACK / 2],
    ["the node's heap", most(middle, "heap"), most(last, "heap"), HEAP_GROWTH],
    ["the node's resident memory", most(middle, "node"), most(last, "node"), NODE_GROWTH],
    ["CometBFT's resident memory", most(middle, "engine"), most(last, "engine"), ENGINE_GROWTH],
  ];
  const told = table.map(
    ([of, from, to, bound]) => `${of}: ${from.toFixed(2)} to ${to.toFixed(2)} MB, bound +${bound.toFixed(2)}`,
  );
  for (const line of told) context.diagnostic(line);
  for (const [of, from, to, bound] of table) assert.ok(to - from < bound, `${of} grows:\n${told.join("\n")}`);
});

/** Anchors something and waits for its block. Returns the bytes of the transaction. */
async function anchorOne(ledger: Ledger, name: string): Promise<number> {
  const notAfter = { time: Math.floor(Date.now() / 1_000) + VALID_SECONDS, height: ledger.height() + 10_000 };
  const bytes = signed({ chain: ledger.chainId, key: "hospital-a", operations: [anchor(name)], notAfter });
  try {
    const receipt = await ledger.receipt((await ledger.submit(bytes)).id, "committed");
    assert.equal(receipt.results[0]?.outcome, "accepted");
    return bytes.length;
  } catch (error) {
    // A machine that stood still for longer than a transaction is valid.
    if (error instanceof Fault && error.code === "expired") return 0;
    throw error;
  }
}

/** Stops the node, has both databases tidy up, and starts it again. What they have not tidied up yet goes round in tens of megabytes. */
async function kept(node: LocalNode, binary: string): Promise<Kept> {
  const [height, operations] = [node.ledger.height(), node.ledger.entryCount()];
  await node.stop();
  const database = new ClassicLevel<Uint8Array, Uint8Array>(join(node.directory, "ledger.db"), DATABASE_OPTIONS);
  const blocks = await bytesOfRows(database, BLOCK_ROWS);
  await database.compactRange(new Uint8Array(0), new Uint8Array(64).fill(0xff), { keyEncoding: "view" });
  await database.close();
  const home = join(node.directory, "engine");
  // Files that the first time made needless go when the second opens.
  for (let time = 0; time < 2; time++) {
    const [code] = await once(spawn(binary, ["experimental-compact-goleveldb", "--home", home], { stdio: "ignore" }), "close");
    assert.equal(code, 0);
  }
  const ledger = (await bytesIn(join(node.directory, "ledger.db"))) + (await bytesIn(join(node.directory, "snapshots")));
  // The write-ahead log goes round at 1 GB, and is no matter of old blocks.
  const engine = (await bytesIn(join(home, "data"))) - (await bytesIn(join(home, "data", "cs.wal")));
  await node.start();
  return { height, operations, blocks: blocks / MEGABYTE, ledger: ledger / MEGABYTE, engine: engine / MEGABYTE };
}

/** First letters of keys: blocks, headers, results. Source: `storage-keys.ts` of the ledger. */
const BLOCK_ROWS = ["b", "h", "r"];

/** Bytes of all rows whose keys begin with one of these letters. */
async function bytesOfRows(database: ClassicLevel<Uint8Array, Uint8Array>, letters: readonly string[]): Promise<number> {
  let bytes = 0;
  for (const letter of letters) {
    const range = { gte: Buffer.from(letter), lt: Buffer.from([letter.charCodeAt(0) + 1]) };
    for await (const [key, value] of database.iterator(range)) bytes += key.length + value.length;
  }
  return bytes;
}

function ourMemory(): Omit<Memory, "engine"> {
  const { heapUsed, rss } = process.memoryUsage();
  return { heap: heapUsed / MEGABYTE, node: rss / MEGABYTE };
}

/** Bytes of all files in a folder. */
async function bytesIn(folder: string): Promise<number> {
  const files = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  const sizes = files.filter((file) => file.isFile()).map(async (file) => (await stat(join(file.parentPath, file.name))).size);
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}

/** Resident bytes of a process, where processes can be looked at; else 0. */
async function residentOf(pid: number | undefined): Promise<number> {
  const text = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(text)?.[1] ?? 0) * 1_024;
}
