/** What S3 servers, and what only listens where one should, do to a store: each answer becomes a fault that says what to do, or is tried again. */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import type { IncomingMessage } from "node:http";
import { createServer } from "node:https";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { S3Description } from "../../src/store/description.ts";
import { openStore } from "../../src/store/open.ts";
import { addressOf } from "../../src/store/s3-address.ts";
import { S3Bucket } from "../../src/store/s3-bucket.ts";
import { S3Store } from "../../src/store/s3-store.ts";
import { fault, temporaryFolder } from "../support/consortium.ts";
import { errorBody, IMPATIENT, impostor, QUICK } from "../support/s3-impostor.ts";

const kept = { ...process.env };
before(() => Object.assign(process.env, { AWS_ACCESS_KEY_ID: "test", AWS_SECRET_ACCESS_KEY: "test" }));
after(() => {
  process.env = kept;
});

const OWNER = JSON.stringify({ type: "xinglin-store/1", member: "a", store: "one" });
const PAGE = "<!doctype html><html><body><h1>It works!</h1><br></body></html>";

interface Answer {
  readonly status: number;
  readonly body?: string;
  readonly headers?: Record<string, string>;
}

const answers: Record<string, { gives: Answer; code: string; facts?: Record<string, string | number>; requests: number }> = {
  "a web page": { gives: { status: 200, body: PAGE }, code: "s3_answer_foreign", requests: 1 },
  "a page that is not found": {
    gives: { status: 404, body: PAGE },
    code: "s3_answer_foreign",
    facts: { status: 404 },
    requests: 1,
  },
  "a login page elsewhere": { gives: { status: 302, headers: { location: "/login" } }, code: "s3_answer_foreign", requests: 1 },
  "another service's JSON": { gives: { status: 200, body: "{}" }, code: "s3_answer_foreign", requests: 1 },
  "a gateway whose server is gone": { gives: { status: 502, body: PAGE }, code: "store_unreadable", requests: 5 },
  "no such bucket": { gives: { status: 404, body: errorBody("NoSuchBucket") }, code: "s3_bucket_missing", requests: 1 },
  "rights that are missing": {
    gives: { status: 403, body: errorBody("AccessDenied") },
    code: "s3_refused",
    facts: { reason: "AccessDenied" },
    requests: 1,
  },
  "a session that is over": { gives: { status: 400, body: errorBody("ExpiredToken") }, code: "s3_refused", requests: 1 },
  "a clock that is wrong, and stays so": {
    gives: { status: 403, body: errorBody("RequestTimeTooSkewed"), headers: { date: "Mon, 02 Mar 2020 10:00:00 GMT" } },
    code: "s3_clock_wrong",
    requests: 5,
  },
  "another region": {
    gives: { status: 400, body: errorBody("AuthorizationHeaderMalformed", "<Region>cn-north-1</Region>") },
    code: "s3_region_wrong",
    facts: { region: "cn-north-1" },
    requests: 1,
  },
  "less haste": { gives: { status: 503, body: errorBody("SlowDown") }, code: "s3_throttled", requests: 5 },
  "an error of its own": {
    gives: { status: 500, body: errorBody("InternalError") },
    code: "store_unreadable",
    facts: { errno: "InternalError" },
    requests: 5,
  },
};
for (const [what, { gives, code, facts = {}, requests: expected }] of Object.entries(answers))
  test(`a server that answers with ${what}: ${code}`, async (t) => {
    const { description, requests } = await impostor(t, (_, response) => {
      response.writeHead(gives.status, gives.headers).end(gives.body);
    });
    const store = new S3Store(description, QUICK);
    await assert.rejects(store.open(randomBytes(16)), fault(code, { store: "one", ...facts }));
    assert.equal(requests.length, expected);
    assert.equal(await store.isPresent(), false);
  });

test("a server that hangs is given up after a second try", async (t) => {
  const { description, requests } = await impostor(t, () => {});
  await assert.rejects(new S3Store(description, IMPATIENT).list(), fault("s3_timeout", { store: "one" }));
  assert.equal(requests.length, 2);
});

test("a body that stops half-way is a timeout, and one that is cut short is read again", async (t) => {
  const headers = { etag: '"1"', "content-length": "1000", "content-range": "bytes 0-999/1000" };
  let isHanging = true;
  const { description, requests } = await impostor(t, (_, response, count) => {
    response.writeHead(206, headers).write(new Uint8Array(500), () => {
      if (isHanging) return;
      if (count < 5) response.destroy();
      else response.end(new Uint8Array(500));
    });
  });
  const impatient = new S3Bucket(description, IMPATIENT);
  await assert.rejects(impatient.read("x", 0, new Uint8Array(1000)), fault("s3_timeout"));
  isHanging = false;
  assert.equal(await new S3Bucket(description, QUICK).read("x", 0, new Uint8Array(1000)), 1000);
  assert.equal(requests.length, 5);
  const always = await impostor(t, (_, response) => {
    response.writeHead(206, headers).write(new Uint8Array(500), () => response.destroy());
  });
  await assert.rejects(new S3Bucket(always.description, QUICK).read("x", 0, new Uint8Array(1000)), fault("s3_answer_cut"));
});

test("a server that is overloaded, or breaks a connection, is asked again until it answers", async (t) => {
  const { description, requests } = await impostor(t, (_, response, count) => {
    if (count === 1) response.writeHead(503).end(errorBody("SlowDown"));
    else if (count === 2) response.destroy();
    else if (count === 3) response.writeHead(500).end(errorBody("InternalError"));
    else response.writeHead(200, { etag: '"1"', "content-length": String(OWNER.length) }).end(OWNER);
  });
  assert.equal(await new S3Store(description, QUICK).isPresent(), true);
  assert.equal(requests.length, 4);
});

test("nobody listening, or no such host, is an absent store", async (t) => {
  const { description } = await impostor(t, () => {});
  for (const url of ["http://127.0.0.1:9/bucket", "https://no-such-host.invalid/bucket"])
    await assert.rejects(new S3Store({ ...description, url }, QUICK).list(), fault("store_absent", { store: "one" }));
});

test("a disk that is full at the server's is disk_full", async (t) => {
  const { description } = await impostor(t, (_, response) => response.writeHead(507).end(errorBody("XMinioStorageFull")));
  await assert.rejects(new S3Bucket(description, QUICK).put("x", new Uint8Array(5)), fault("disk_full", { store: "one" }));
});

/** Answers as a server with a bucket that knows nothing but its owner's note would. */
const bucketOf =
  (options: { readonly conditions: boolean; readonly versions: boolean }) =>
  ({ method, url }: Pick<IncomingMessage, "method" | "url">, state: { note: boolean }): Answer => {
    if (url!.includes("list-type=2")) return { status: 200, body: "<ListBucketResult><Name>bucket</Name></ListBucketResult>" };
    if (url!.includes("?versioning"))
      return {
        status: 200,
        body: `<VersioningConfiguration>${options.versions ? "<Status>Enabled</Status>" : ""}</VersioningConfiguration>`,
      };
    if (method === "DELETE") state.note = false;
    if (method === "DELETE") return { status: 204 };
    if (method === "PUT" && state.note && options.conditions) return { status: 412, body: errorBody("PreconditionFailed") };
    if (method === "PUT") state.note = true;
    if (method === "PUT") return { status: 200, headers: { etag: '"1"' } };
    if (!state.note) return { status: 404, body: errorBody("NoSuchKey") };
    return { status: 200, headers: { etag: '"1"', "content-length": String(OWNER.length) }, body: OWNER };
  };

for (const [options, code] of [
  [{ conditions: false, versions: false }, "s3_conditions_ignored"],
  [{ conditions: true, versions: true }, "s3_versions_kept"],
  [{ conditions: true, versions: false }, undefined],
] as const)
  test(`a store is made in a bucket ${JSON.stringify(options)}: ${code ?? "yes"}`, async (t) => {
    const state = { note: false };
    const { description } = await impostor(t, (request, response) => {
      const { status, headers, body } = bucketOf(options)(request, state);
      response.writeHead(status, headers).end(body);
    });
    const made = new S3Store(description, QUICK).create();
    await (code === undefined ? made : assert.rejects(made, fault(code, { store: "one" })));
    assert.equal(state.note, code === undefined, "a refused bucket is left as it was");
  });

test("a listing goes on page by page, and ends where a server repeats itself", async (t) => {
  let isStuck = false;
  const { description, requests } = await impostor(t, ({ url }, response) => {
    const second = url!.includes("continuation-token=next") && !isStuck;
    const more = second ? "" : "<IsTruncated>true</IsTruncated><NextContinuationToken>next</NextContinuationToken>";
    const contents = `<Contents><Key>k${second ? 2 : 1}</Key><Size>5</Size></Contents>`;
    response.end(`<ListBucketResult><Name>bucket</Name>${more}${contents}</ListBucketResult>`);
  });
  const keys = async (): Promise<string[]> => {
    const found: string[] = [];
    for await (const { key } of new S3Bucket(description, QUICK).list("k")) found.push(key);
    return found;
  };
  assert.deepEqual(await keys(), ["k1", "k2"]);
  isStuck = true;
  assert.deepEqual(await keys(), ["k1", "k1"]);
  assert.equal(requests.length, 4);
});

test("no credentials anywhere is a fault of its own", async (t) => {
  const { description, requests } = await impostor(t, () => {});
  const file = join(await temporaryFolder(t), "credentials");
  await writeFile(file, "aws_access_key_id = only-half\n", { mode: 0o600 });
  const store = new S3Store({ ...description, credentialsFile: file }, QUICK);
  await assert.rejects(store.list(), fault("s3_credentials_missing", { store: "one" }));
  assert.deepEqual(requests, []);
});

const description = (url: string): S3Description => ({ kind: "s3", id: "one", member: "a", url });

test("a URL says where the bucket is, and nothing else", () => {
  assert.deepEqual(addressOf(description("https://s3.example.org/lent")), {
    endpoint: "https://s3.example.org",
    bucket: "lent",
    prefix: "",
  });
  assert.deepEqual(addressOf(description("http://127.0.0.1:7070/lent/a/b/")), {
    endpoint: "http://127.0.0.1:7070",
    bucket: "lent",
    prefix: "a/b/",
  });
  const wrong: Record<string, string> = {
    "no url": "url",
    "http://s3.example.org/lent": "protocol",
    "ftp://127.0.0.1/lent": "protocol",
    "https://key:secret@s3.example.org/lent": "credentials",
    "https://s3.example.org/lent?acl": "query",
    "https://s3.example.org/lent#a": "query",
    "https://s3.example.org/": "bucket",
    "https://s3.example.org/x": "bucket",
    "https://s3.example.org/lent/a//b": "prefix",
    "https://s3.example.org/lent/a%20b": "prefix",
  };
  for (const [url, part] of Object.entries(wrong))
    assert.throws(() => openStore(description(url)), fault("s3_url_wrong", { store: "one", part }), url);
});

const hasOpenssl = spawnSync("openssl", ["version"]).status === 0;
test("a certificate is accepted from who was named only", {
  skip: hasOpenssl ? false : "openssl: not installed, so there is no certificate to test with",
}, async (t) => {
  const folder = await temporaryFolder(t);
  const [keyFile, caFile] = [join(folder, "key.pem"), join(folder, "ca.pem")];
  const subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"];
  const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1"];
  execFileSync("openssl", ["req", "-x509", ...curve, ...subject, "-keyout", keyFile, "-out", caFile], { stdio: "ignore" });
  const server = createServer({ key: readFileSync(keyFile), cert: readFileSync(caFile) }, (request, response) => {
    request.resume();
    response.writeHead(200, { etag: '"1"', "content-length": String(OWNER.length) }).end(OWNER);
  }).listen(0, "localhost");
  await once(server, "listening");
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as { port: number };
  const at = description(`https://localhost:${port}/bucket`);
  await assert.rejects(new S3Store(at, QUICK).list(), fault("s3_certificate_wrong", { reason: "DEPTH_ZERO_SELF_SIGNED_CERT" }));
  await assert.rejects(
    new S3Store({ ...at, caFile: keyFile }, QUICK).list(),
    fault("s3_certificate_wrong", { reason: "caFile" }),
  );
  assert.equal(await new S3Store({ ...at, caFile }, QUICK).isPresent(), true);
});

test("no fault says more of a store than its name", async (t) => {
  const { description: one } = await impostor(t, (_, response) => response.writeHead(403).end(errorBody("AccessDenied")));
  const told = await new S3Store({ ...one, url: `${one.url}/secret-prefix` }, QUICK)
    .list()
    .catch((cause: Error) => cause.message);
  assert.equal(told, "s3_refused: store=one reason=AccessDenied");
});
