/** The private IPFS node as a process: what it keeps, what it refuses, and that it ends with whoever started it. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { Fault } from "@xinglin/primitives";
import { ensureIpfsNode, type IpfsNode, type IpfsNodeOptions, startIpfsNode } from "../src/ipfs-node.ts";

const found = await ensureIpfsNode().catch((error: unknown) => {
  if (error instanceof Fault && error.code === "go_missing") return error;
  throw error;
});
const skip = found instanceof Fault ? `IPFS node is not built: ${found.message}` : false;
const program = String(found);

async function emptyFolder(context: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "xinglin-ipfs-"));
  context.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}
async function started(
  context: TestContext,
  options: Partial<IpfsNodeOptions> = {},
): Promise<IpfsNode & { readonly folder: string }> {
  const folder = options.folder ?? (await emptyFolder(context));
  const node = await startIpfsNode({ program, folder, ...options });
  context.after(() => node.stop());
  return { ...node, folder };
}
const call = async (node: IpfsNode, path: string, init: RequestInit = {}): Promise<{ status: number; text: string }> => {
  const answer = await fetch(`${node.api}/api/v0/${path}`, { method: "POST", ...init });
  return { status: answer.status, text: await answer.text() };
};
async function put(node: IpfsNode, text: string): Promise<string> {
  const body = new FormData();
  body.set("file", new Blob([text]));
  return (JSON.parse((await call(node, "block/put", { body })).text) as { Key: string }).Key;
}

test("what is pinned is neither removed nor collected, what is not is", { skip }, async (context) => {
  const node = await started(context);
  const [kept, loose, removed] = await Promise.all(["kept", "loose", "removed"].map((text) => put(node, text)));
  assert.equal((await call(node, `pin/add?arg=${kept}&name=a`)).status, 200);
  assert.match((await call(node, `block/rm?arg=${kept}&force=true`)).text, /pinned: recursive/);
  assert.doesNotMatch((await call(node, `block/rm?arg=${removed}`)).text, /Error/);
  assert.match((await call(node, "repo/gc")).text, new RegExp(loose!));
  const texts = await Promise.all(
    [kept, loose, removed].map(async (key) => (await call(node, `block/get?arg=${key}&offline=true`)).text),
  );
  assert.equal(texts[0], "kept");
  for (const text of texts.slice(1)) assert.match(text, /could not find/);
});

test("pages in a browser, other hosts' names and calls that only read are turned away", { skip }, async (context) => {
  const node = await started(context);
  assert.equal((await call(node, "id", { headers: { origin: "http://example.org" } })).status, 403);
  assert.equal((await call(node, "id", { headers: { "user-agent": "Mozilla/5.0" } })).status, 403);
  assert.equal((await call(node, "id", { method: "GET" })).status, 405);
  assert.equal((await call(node, "id")).status, 200);
});

test("keys are for their owner alone, and a swarm key that others can read is refused", { skip }, async (context) => {
  const node = await started(context);
  const key = join(node.folder, "swarm.key");
  assert.match(await readFile(key, "utf8"), /^\/key\/swarm\/psk\/1\.0\.0\/\n\/base16\/\n[0-9a-f]{64}\n$/);
  for (const name of ["swarm.key", "identity"]) assert.equal((await stat(join(node.folder, name))).mode & 0o077, 0, name);
  await chmod(key, 0o644);
  const other = await emptyFolder(context);
  await assert.rejects(startIpfsNode({ program, folder: other, swarmKeyFile: key }), { code: "ipfs_swarm_key_wrong" });
});

test("a folder has one node, and a call from elsewhere has no way in", { skip }, async (context) => {
  const { folder } = await started(context);
  await assert.rejects(startIpfsNode({ program, folder }), { code: "ipfs_repo_in_use" });
  const other = await emptyFolder(context);
  await assert.rejects(startIpfsNode({ program, folder: other, api: "0.0.0.0:0" }), { code: "ipfs_address_refused" });
  await assert.rejects(startIpfsNode({ program, folder: other, swarm: "/ip4/127.0.0.1/udp/x" }), {
    code: "ipfs_address_unusable",
  });
});

test("a node ends when the process that started it is killed", { skip }, async (context) => {
  const folder = await emptyFolder(context);
  const script = `import { startIpfsNode } from ${JSON.stringify(new URL("../src/ipfs-node.ts", import.meta.url).href)};
    const node = await startIpfsNode(${JSON.stringify({ program, folder })});
    console.log("ready");`;
  const parent = spawn(process.execPath, ["--input-type=module-typescript", "--eval", script], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  context.after(() => parent.kill("SIGKILL"));
  for await (const text of parent.stdout.setEncoding("utf8")) if (String(text).includes("ready")) break;
  parent.kill("SIGKILL");
  await once(parent, "close");
  // The folder is free again as soon as its node has ended.
  for (;;) {
    const next = await startIpfsNode({ program, folder }).catch((error: unknown) => error);
    if (next instanceof Fault && next.code === "ipfs_repo_in_use") continue;
    assert.ok(!(next instanceof Error), String(next));
    await (next as IpfsNode).stop();
    return;
  }
});
