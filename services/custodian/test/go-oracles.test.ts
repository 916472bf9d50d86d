/** Programs that we did not write judge a live chain: CometBFT's light client its headers, the ICS-23 reference its proofs. */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { keys } from "@xinglin/contracts";
import { hpkeKeyPair } from "@xinglin/crypto";
import { cometbft, merkle } from "@xinglin/crypto/pure";
import { cbor, toHex, utf8 } from "@xinglin/primitives";
import { readLogHead } from "@xinglin/verifier";
import { id, nowSeconds, openSmallChain, type SmallChain } from "./small-chain.ts";

const oracles = fileURLToPath(new URL("../../../engine/oracles", import.meta.url));
const skip = (): string | false => {
  if (spawnSync("go", ["version"]).error !== undefined) return "go: not installed, so nobody else judged the live chain";
  return spawnSync("go", ["mod", "download"], { cwd: oracles }).status === 0
    ? false
    : "go: the modules of engine/oracles can't be downloaded";
};

let chain: SmallChain;
before(async () => {
  chain = await openSmallChain();
});
after(() => chain.close());

test("CometBFT's light client follows the solo driver's headers and refuses a tampered one", { skip: skip() }, async () => {
  await chain.permit();
  const blocks = Array.from({ length: chain.ledger.height() - 1 }, (_, i) => toHex(chain.ledger.lightBlock(i + 1) as Uint8Array));
  const verify = (trusted: string, bytes: string) => ({ op: "verify", trusted, bytes, nowSeconds: nowSeconds() });
  const first = blocks[0] as string;
  const last = blocks.at(-1) as string;
  const tampered = cometbft.decodeLightBlock(Buffer.from(last, "hex"));
  const checks = [
    ...blocks.map((bytes) => ({ op: "light_block", bytes })),
    ...blocks.slice(1).map((bytes, i) => verify(blocks[i] as string, bytes)),
    verify(first, last),
    verify(first, toHex(cometbft.encodeLightBlock({ ...tampered, header: { ...tampered.header, appHash: new Uint8Array(32) } }))),
  ];
  const input = JSON.stringify({ chainId: chain.ledger.chainId, checks });
  const answers = JSON.parse(
    execFileSync("go", ["run", "./light"], { cwd: oracles, input, encoding: "utf8", maxBuffer: 1 << 28 }),
  ) as { ok: boolean; error?: string }[];
  assert.ok(blocks.length > 10);
  assert.deepEqual(
    answers.slice(0, -1).filter(({ ok }) => !ok),
    [],
  );
  assert.equal(answers.at(-1)?.ok, false);
});

test("the ICS-23 reference accepts the proofs of a permit, of a refusal's log and of an absence", { skip: skip() }, async () => {
  const { number } = await chain.permit();
  const pair = await hpkeKeyPair();
  const refused = await chain.submit(chain.doctor, {
    op: "requestAccess",
    patient: chain.patient.actor,
    purpose: "HRESCH",
    class: { level: "sensitive", category: "imaging" },
    target: { kind: "record", record: chain.record, version: 1 },
    hpke: pair.publicKey,
    credential: chain.credential,
  });
  assert.equal(refused.code, "not_permitted");
  const sequence = chain.ledger.entryCount() - 1;
  const { entry, epoch, index, path, head } = chain.ledger.proveEntry(sequence);
  assert.equal((cbor.decodeTrusted(entry) as { code?: string }).code, "not_permitted");
  const log = readLogHead(head.key, epoch, head.value as Uint8Array);
  assert.ok(merkle.verifyInclusion(entry, index, log.size, path, log.root));

  const permit = chain.ledger.prove(keys.access(chain.patient.actor, number));
  const absence = chain.ledger.prove(keys.access(chain.patient.actor, number + 1));
  const stranger = chain.ledger.prove(keys.actor(id()));
  const proofs = [permit, head, absence, stranger].map(({ key, value, proof, lightBlock }) => ({
    root: toHex(cometbft.decodeLightBlock(lightBlock).header.appHash),
    key: toHex(utf8(key)),
    value: value === undefined ? "" : toHex(value),
    proof: toHex(proof),
  }));
  assert.deepEqual(
    proofs.map(({ value }) => value === ""),
    [false, false, true, true],
  );
  const file = join(chain.directory, "proofs.json");
  writeFileSync(file, JSON.stringify({ proofs }));
  const go = spawnSync("go", ["test", "-count=1", "-v", "./ics23/"], {
    cwd: oracles,
    env: { ...process.env, XINGLIN_PROOFS: file },
    encoding: "utf8",
  });
  assert.equal(go.status, 0, go.stdout + go.stderr);
  assert.match(go.stdout, /accepted 2 proofs of presence and 2 of absence/);
});
