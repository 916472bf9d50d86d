/** The portal's files, and TLS. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { createApi } from "../src/create-api.ts";
import { Stage } from "./stage.ts";

let folder: string;
let stage: Stage;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "xinglin-portal-"));
  await mkdir(join(folder, "dist/assets"), { recursive: true });
  await writeFile(join(folder, "dist/index.html"), "<!doctype html><title>page</title>");
  await writeFile(join(folder, "dist/assets/app-1a2b.js"), "1;");
  await writeFile(join(folder, "secret"), "secret");
  stage = await Stage.open({ portalDirectory: join(folder, "dist") });
});
after(async () => {
  await stage.close();
  await rm(folder, { recursive: true, force: true });
});

test("the page is served with its policy, asked for anew, its assets for good", async () => {
  const page = await stage.fetch("/");
  assert.equal(page.status, 200);
  assert.match(await page.text(), /<title>page/);
  assert.equal(page.headers.get("content-type"), "text/html; charset=utf-8");
  assert.equal(page.headers.get("cache-control"), "no-cache");
  assert.match(page.headers.get("content-security-policy") ?? "", /default-src 'self'/);
  const asset = await stage.fetch("/assets/app-1a2b.js");
  assert.equal(asset.headers.get("cache-control"), "public, max-age=31536000, immutable");
  assert.match(asset.headers.get("content-type") ?? "", /javascript/);
});

test("nothing outside the folder is served", async () => {
  for (const path of [
    "/secret",
    "/../secret",
    "/%2e%2e/secret",
    "/..%2fsecret",
    "/assets/..%2f..%2fsecret",
    "/assets/",
    "/.env",
    "/index.html/x",
  ]) {
    const answer = await stage.fetch(path);
    assert.ok(answer.status === 404 || answer.status === 400 || answer.status === 403, `${path}: ${answer.status}`);
    assert.ok(!(await answer.text()).includes("secret\n"));
    assert.match(answer.headers.get("content-type") ?? "", /problem\+json/, path);
  }
});

const hasOpenssl = ((): boolean => {
  try {
    execFileSync("openssl", ["version"]);
    return true;
  } catch {
    return false;
  }
})();

test("with a certificate it speaks TLS and says so", {
  skip: hasOpenssl ? false : "no openssl here to make a certificate with",
}, async () => {
  const [keyFile, certFile] = [join(folder, "key.pem"), join(folder, "cert.pem")];
  execFileSync(
    "openssl",
    [
      "req",
      "-x509",
      "-newkey",
      "ec",
      "-pkeyopt",
      "ec_paramgen_curve:P-256",
      "-nodes",
      "-keyout",
      keyFile,
      "-out",
      certFile,
      "-subj",
      "/CN=localhost",
      "-days",
      "1",
    ],
    { stdio: "ignore" },
  );
  const [key, cert] = await Promise.all([readFile(keyFile), readFile(certFile)]);
  const api = await createApi({ ledger: stage.ledger, index: stage.index, host: "localhost", port: 0, tls: { key, cert } });
  await api.listen();
  assert.match(api.url, /^https:\/\/localhost:\d+$/);
  const answer = await new Promise<{ status: number | undefined; transport: string | undefined }>((resolve, reject) => {
    request(`${api.url}/v1/status`, { ca: cert }, (given) => {
      given.resume();
      resolve({ status: given.statusCode, transport: given.headers["strict-transport-security"] });
    })
      .once("error", reject)
      .end();
  });
  assert.deepEqual(answer, { status: 200, transport: "max-age=31536000" });
  await api.close();
});
