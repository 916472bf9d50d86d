/**
 * The same blocks give the same app hash on every major version of Node that can be had: chains of many kinds of operations, of evidence, votes and refusals
 * (the simulator's), and of every suite, are replayed from nothing in a process of each. `npm run versions` fetches the other versions.
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { generateKeyPairSync, sign } from "node:crypto";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { chainIdOf, encodeBody, encodeGenesis, encodeTransaction, type Operation, type SuiteId } from "@xinglin/contracts";
import { compressP256, lowerS } from "@xinglin/crypto";
import { nodeHybridSigner, nodeSm2Signer } from "@xinglin/crypto/node";
import { keyId } from "@xinglin/crypto/pure";
import { Application, type BlockInput } from "@xinglin/ledger";
import { runSeed } from "@xinglin/ledger/simulator";
import { anchor, genesisWith, keyOf } from "@xinglin/ledger/testing/chain";
import { type ActorId, type Bytes, type Height, type MemberId, toHex, type UnixSeconds } from "@xinglin/primitives";
import { GENESIS_TIME, HandDrivenNode } from "../packages/ledger/test/support/node.ts";
import { nodeOfVersion, OTHER_VERSIONS, TOO_OLD_VERSION } from "../scripts/node-versions.ts";
import { type Recording, recordingsToText } from "./node-versions/recording.ts";

const replay = fileURLToPath(new URL("./node-versions/replay.ts", import.meta.url));
/** Seeds of the simulator; with the steps below they make some two hundred blocks. */
const SEEDS = [3, 11, 29, 47, 58, 71];

/** The chain that the nodes of one simulated consortium agree on: each block as whoever came first executed it. */
async function simulated(seed: number): Promise<Recording> {
  const original = Application.prototype.finalizeBlock;
  const blocks: { input: BlockInput; appHash: Bytes }[] = [];
  let genesis: Bytes | undefined;
  Application.prototype.finalizeBlock = async function (this: Application, input) {
    const finalized = await original.call(this, input);
    genesis ??= encodeGenesis(this.genesis);
    if (input.height === blocks.length + 1) blocks.push({ input, appHash: finalized.appHash });
    return finalized;
  };
  try {
    const { failure } = await runSeed({ seed, steps: 400 });
    assert.equal(failure, undefined);
  } finally {
    Application.prototype.finalizeBlock = original;
  }
  return { name: `seed ${seed}`, genesis: genesis!, blocks };
}

interface Signer {
  readonly suite: SuiteId;
  readonly publicKey: Bytes;
  signSync(message: Bytes): Bytes;
}

/** A key of P-256 that is new each time: what is replayed are its signatures. */
function p256Signer(): Signer {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const point = publicKey.export({ format: "der", type: "spki" }).subarray(-65);
  return {
    suite: "p256",
    publicKey: compressP256(new Uint8Array(point)),
    signSync: (message) => lowerS(new Uint8Array(sign("sha256", message, { key: privateKey, dsaEncoding: "ieee-p1363" }))),
  };
}

/** Members that sign in every suite but that of passkeys, whose signatures are made by P-256, and anchor with each. */
async function allSuites(directory: string): Promise<Recording> {
  const genesis = encodeGenesis(genesisWith());
  const steps: readonly (readonly [string, readonly Signer[]])[] = [
    ["hospital-a", [keyOf("hospital-a"), p256Signer(), nodeHybridSigner(new Uint8Array(64).fill(5))]],
    ["hospital-b", [keyOf("hospital-b"), nodeSm2Signer(new Uint8Array(32).fill(6))]],
  ];
  let nonce = 0;
  const by = (member: string, signer: Signer, operation: Operation): Bytes => {
    const body = encodeBody({
      type: "xinglin-transaction/1",
      chain: chainIdOf(genesis),
      signer: { actor: member as ActorId, key: keyId(signer.suite, signer.publicKey), suite: signer.suite },
      sponsor: member as MemberId,
      notAfter: { time: (GENESIS_TIME + 500) as UnixSeconds, height: 90_000 as Height },
      nonce: new Uint8Array(16).fill(++nonce),
      operations: [operation],
    });
    return encodeTransaction(body, signer.signSync(body));
  };
  const node = await HandDrivenNode.open(directory, genesis);
  const blocks: { input: BlockInput; appHash: Bytes }[] = [];
  const included = new Set<SuiteId>();
  try {
    for (const [member, signers] of steps)
      for (const [i, signer] of signers.entries()) {
        const next = signers[i + 1];
        const transactions = [by(member, signer, anchor(`${member} ${signer.suite}`, 7))];
        if (next !== undefined)
          transactions.push(by(member, signer, { op: "replaceKey", publicKey: { suite: next.suite, key: next.publicKey } }));
        const height = node.application.height + 1;
        const input = { height, time: { seconds: GENESIS_TIME + height, nanos: 0 }, transactions };
        const { appHash, entries } = await node.application.finalizeBlock(input);
        await node.application.commit();
        assert.ok(
          entries.length === transactions.length && entries.every(({ entry }) => entry.outcome === "accepted"),
          signer.suite,
        );
        included.add(signer.suite);
        blocks.push({ input, appHash });
      }
  } finally {
    await node.close();
  }
  assert.equal(included.size, 4, "a suite has no transaction");
  return { name: "all suites", genesis, blocks };
}

/** What a Node of its own makes of the recordings: its app hashes, or what it says as it stops. */
async function replayed(
  node: string,
  recordings: string,
  folder: string,
): Promise<{ hashes?: Record<string, string[]>; said: string }> {
  const child = spawn(node, ["--no-warnings", replay, recordings, folder], { stdio: ["ignore", "pipe", "pipe"] });
  let told = "";
  let said = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    told += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    said += text;
  });
  const [code] = await once(child, "close");
  return code === 0 ? { said, ...(JSON.parse(told) as { hashes: Record<string, string[]> }) } : { said };
}

test("the same blocks give the same app hash on every Node", async (context) => {
  const folder = await mkdtemp(join(tmpdir(), "node-versions-"));
  context.after(() => rm(folder, { recursive: true, force: true }));
  const recordings = [await allSuites(join(folder, "made"))];
  for (const seed of SEEDS) recordings.push(await simulated(seed));
  const expected = Object.fromEntries(recordings.map(({ name, blocks }) => [name, blocks.map(({ appHash }) => toHex(appHash))]));
  const all = Object.values(expected).flat();
  assert.ok(
    all.length > 100 && new Set(all).size > 50,
    `${all.length} blocks, ${new Set(all).size} app hashes: too few to say anything`,
  );
  const file = join(folder, "recordings.json");
  await writeFile(file, recordingsToText(recordings));
  const skip = (inner: { skip(why: string): void }, version: string): void =>
    inner.skip(`Node ${version} is not here: \`npm run versions\` fetches it`);
  const others = OTHER_VERSIONS.map((version) => [version, nodeOfVersion(version)] as const);
  for (const [version, node] of [[process.versions.node, process.execPath] as const, ...others])
    await context.test(`Node ${version} replays ${all.length} blocks to the same app hashes`, async (inner) => {
      if (!existsSync(node)) return skip(inner, version);
      const { hashes, said } = await replayed(node, file, join(folder, version));
      assert.ok(hashes !== undefined, said);
      for (const [chain, wanted] of Object.entries(expected)) {
        const found = hashes[chain] ?? [];
        const differs = wanted.findIndex((hash, height) => found[height] !== hash);
        assert.equal(differs, -1, `${chain} differs at height ${differs + 1} of ${wanted.length}`);
      }
    });
  await context.test(`Node ${TOO_OLD_VERSION}, which lacks a suite, stops and says so`, async (inner) => {
    const node = nodeOfVersion(TOO_OLD_VERSION);
    if (!existsSync(node)) return skip(inner, TOO_OLD_VERSION);
    const { hashes, said } = await replayed(node, file, join(folder, TOO_OLD_VERSION));
    assert.equal(hashes, undefined);
    assert.match(said, /Node 22\.\S+ has no ML-DSA-65 with contexts/);
  });
});
