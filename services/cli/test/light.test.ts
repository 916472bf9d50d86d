/** The light client's commands against a real solo ledger, an honest proxy of it as another node, and one that lies with the ledger's own key. */
import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { EXCHANGE_BYTES } from "@xinglin/client";
import { readKeyFile } from "@xinglin/gateway";
import { decodeLightBlock, encodeLightBlock } from "@xinglin/verifier";
import { forge } from "@xinglin/verifier/testing";
import { startConsortium } from "./guide-runner.ts";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const CLI = join(root, "services/cli/src/main.ts");
process.env.NODE_COMPILE_CACHE ??= join(root, "node_modules/.cache/xinglin/compiled");
const guide = readFileSync(join(root, "docs/guides/check-without-a-node.md"), "utf8");
const run = promisify(execFile);

let folder: string;
let api: string;
let stop: () => Promise<void>;
const servers: Server[] = [];

/** A node that passes on what the real one says, after `change`. */
async function node(change: (bytes: Uint8Array) => Promise<Uint8Array> = async (bytes) => bytes): Promise<string> {
  const server = createServer((request, response) => {
    void (async () => {
      const answer = await fetch(api + (request.url ?? "/").replace(/\?.*/, ""));
      const bytes = new Uint8Array(await answer.arrayBuffer());
      const isBlock = answer.ok && (request.url ?? "").startsWith("/v1/light-blocks/");
      response.writeHead(answer.status, { "content-type": answer.headers.get("content-type") ?? "" });
      response.end(isBlock ? await change(bytes) : bytes);
    })().catch(() => response.destroy());
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "localhost", resolve));
  return `http://localhost:${(server.address() as AddressInfo).port}`;
}

before(async () => {
  folder = mkdtempSync(join(tmpdir(), "xinglin-light-"));
  stop = await startConsortium(folder);
  api = (JSON.parse(readFileSync(join(folder, "my-consortium/consortium.json"), "utf8")) as { url: string }).url;
});
after(async () => {
  await stop();
  for (const server of servers) {
    server.closeAllConnections();
    server.close();
  }
  rmSync(folder, { recursive: true, force: true });
});

const xinglin = (...args: string[]) => run(process.execPath, [CLI, ...args, "--lang", "en"], { cwd: folder });
const refused = (code: string, ...args: string[]) =>
  assert.rejects(xinglin(...args), (error: { stderr: string }) => {
    assert.match(error.stderr, new RegExp(`\\[${code}\\]`));
    return true;
  });

test("every command of the guide works, in its order", async () => {
  const witness = await node();
  const blocks = [...guide.matchAll(/```sh\n([\s\S]*?)```/g)].map(([, block]) => block);
  assert.ok(blocks.length >= 4);
  const script = [
    "set -eu -o pipefail",
    `xinglin() { ${JSON.stringify(process.execPath)} ${JSON.stringify(CLI)} "$@" --lang en; }`,
    ...blocks,
  ].join("\n");
  const here = script.replaceAll("http://localhost:8750", api).replaceAll("http://localhost:8751", witness);
  const { stdout } = await run("bash", ["-c", here], { cwd: folder });
  assert.match(stdout, /The chain is [a-z-]+-[0-9a-f]{24}\./);
  assert.match(stdout, /signed by 1 of 1 validators, checked/);
  assert.match(stdout, /1 of 1 other nodes asked show the same block/);
  assert.match(stdout, /one key alone signs this chain/);
  assert.match(stdout, /[0-9a-f]{64}@\d+/);
});

test("what can't be followed says why and what to do", async () => {
  const data = ["--data", "refusals"];
  await refused("option_missing", "light", "follow", ...data, "--once");
  await refused("option_wrong", "light", "follow", ...data, "--api", "localhost:1", "--once");
  await refused("option_wrong", "light", "follow", ...data, "--api", api, "--trust", "12:abc", "--once");
  await refused("light_not_followed", "light", "status", ...data);
  await refused("wrong_chain", "light", "follow", ...data, "--api", api, "--chain", "another-000000000000000000000000", "--once");
  await refused("checkpoint_differs", "light", "follow", ...data, "--api", api, "--trust", `${"ab".repeat(32)}@1`, "--once");
  await refused("api_unreachable", "light", "follow", ...data, "--api", "http://localhost:1", "--once");
  await refused("file_missing", "light", "fork", "nothing.cbor", ...data, "--checkpoint", `${"ab".repeat(32)}@1`);
  await refused("fork_wrong", "light", "fork", join(root, "package.json"), ...data, "--checkpoint", `${"ab".repeat(32)}@1`);
});

test("trust that is over is refused, and a checkpoint begins anew", async () => {
  const data = ["--data", "old"];
  await refused("trust_expired", "light", "follow", ...data, "--api", api, "--trust-days", "0", "--once");
  await refused("option_wrong", "light", "follow", ...data, "--api", api, "--trust-days", "31", "--once");
});

test("following goes on until it is stopped", async () => {
  const child = spawn(process.execPath, [CLI, "light", "follow", "--data", "followed", "--api", api, "--lang", "en"], {
    cwd: folder,
  });
  const exited = once(child, "exit");
  try {
    await new Promise<void>((resolve, reject) => {
      let told = "";
      child.stdout.on("data", (part: Buffer) => {
        told += part.toString();
        if (/next look in \d+ s/.test(told)) resolve();
      });
      exited.then(() => reject(new Error(told)));
    });
  } finally {
    child.kill("SIGTERM");
    assert.deepEqual(await exited, [0, null]);
  }
});

test("a node that lies with a stolen key is caught, and the fork file is judged and turned into evidence", async () => {
  const { signer } = readKeyFile(join(folder, "my-consortium/validator.json"));
  const data = ["--data", "deceived"];
  await xinglin("light", "follow", ...data, "--api", api, "--once");
  // From the newest checked block on, another state: each block signed by the chain's only key.
  const from = Number((await xinglin("light", "status", ...data, "--get", "height")).stdout);
  const liar = await node(async (bytes) => {
    const block = decodeLightBlock(bytes);
    if (block.header.height < from) return bytes;
    return encodeLightBlock(
      await forge(block, { appHash: new Uint8Array(32) }, [{ signer, power: block.validators[0]?.power ?? 1 }]),
    );
  });
  const follow = ["light", "follow", ...data, "--witness", liar, "--once"];
  await assert.rejects(xinglin(...follow), (error: { stderr: string; stdout: string }) => {
    assert.match(error.stderr, /^ALARM: two nodes show different histories.*\[node_lied\]/);
    assert.match(error.stdout, /fork\.cbor/);
    return true;
  });
  await refused("node_lied", "light", "follow", ...data, "--once");
  await refused("light_halted", "light", "status", ...data);

  const file = join(folder, "deceived/light/fork.cbor");
  const genesis = join(folder, "my-consortium/genesis.cbor");
  const { stdout } = await xinglin("light", "fork", file, "--genesis", genesis, "--out", "evidence");
  assert.match(stdout, /two histories of .* were signed/);
  assert.match(stdout, /made-up state \(lunatic\); to blame: (\d+) of \1 power/);
  assert.deepEqual(readdirSync(join(folder, "evidence")).sort(), ["evidence-1.pb", "evidence-2.pb"]);
});

test("what a look costs beside the blocks is what the client reckons with", async () => {
  const { port } = new URL(api);
  // As a phone's browser asks from another member's page.
  const request = [
    `GET /v1/light-blocks/1?header=${"ab".repeat(32)}&validators=${"ab".repeat(32)} HTTP/1.1`,
    `host: localhost:${port}`,
    "connection: close",
    "accept: application/cbor",
    "accept-language: zh-CN",
    "accept-encoding: gzip, deflate, br, zstd",
    "user-agent: Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36",
    "origin: https://records.first-hospital.example",
    "referer: https://records.first-hospital.example/",
    "sec-fetch-mode: cors",
    "sec-fetch-site: cross-site",
    "sec-fetch-dest: empty",
    'sec-ch-ua: "Chromium";v="140", "Not=A?Brand";v="24", "Google Chrome";v="140"',
    "sec-ch-ua-mobile: ?1",
    'sec-ch-ua-platform: "Android"',
    "",
    "",
  ].join("\r\n");
  const socket = connect(Number(port), "localhost");
  socket.end(request);
  const parts: Buffer[] = [];
  for await (const part of socket) parts.push(part as Buffer);
  const answer = Buffer.concat(parts);
  const head = answer.indexOf("\r\n\r\n") + 4;
  assert.match(answer.toString("latin1", 0, head), /^HTTP\/1\.1 200/);
  const tlsRecords = 60;
  const cost = request.length + head + tlsRecords;
  assert.ok(cost <= EXCHANGE_BYTES, `${cost} bytes beside the body`);
});
