/** A row for each code that the API itself answers: how it comes about, its status, and that nothing else of the input shows. */
import assert from "node:assert/strict";
import { request as httpRequest } from "node:http";
import { connect, createServer } from "node:net";
import { after, before, test } from "node:test";
import { encodeTransaction } from "@xinglin/contracts";
import { cbor, Fault, fromHex } from "@xinglin/primitives";
import { createApi } from "../src/create-api.ts";
import { sentenceOf, statusOf } from "../src/error-catalogue.ts";
import { FAULTS } from "../src/faults.ts";
import { type Caller, CUSTODIANS, keyOf, people, record, Stage, seconds } from "./stage.ts";

const MIB = 1_048_576;
let stage: Stage;
let patient: Caller;
/** Milliseconds by which the server's clock is ahead. */
let skew = 0;
before(async () => {
  stage = await Stage.open({
    clock: () => Date.now() + skew,
    limits: { waitMs: 300, streamsPerActor: 1, requestsPerSecond: 1e6, burst: 1e6, requestTimeoutMs: 2_000 },
    custodians: {
      get: (id) => {
        const answer = async (): Promise<Uint8Array> => {
          throw new Fault("permit_missing", { patient: people.patient.id, number: 7 });
        };
        return id === CUSTODIANS[0]
          ? { deposit: async (bytes) => bytes, depositMany: answer, release: answer, erase: answer }
          : undefined;
      },
    },
    validateFhir: async (json) => ({
      issues: json.length > 10 ? [{ element: "Bundle.type", code: "element_missing", facts: {} }] : [],
      more: json.length > 10 ? 2 : 0,
    }),
  });
  await stage.populate();
  patient = await stage.as("patient");
});
after(() => stage.close());

const seen = new Set<string>();
/** The answer must be a problem of this code, whole, in the language asked for. */
async function isProblem(answer: Response, code: string): Promise<void> {
  const problem = await answer.json();
  assert.equal(problem.code, code, JSON.stringify(problem));
  assert.equal(answer.status, statusOf(code));
  assert.equal(answer.headers.get("content-type"), "application/problem+json; charset=utf-8");
  assert.deepEqual(Object.keys(problem).sort(), ["code", "detail", "facts", "retry", "status", "title", "type"]);
  assert.equal(problem.type, `urn:xinglin:error:${code}`);
  assert.equal(problem.detail, sentenceOf(code, problem.facts, "zh-CN"));
  assert.ok(!/\{\w+\}/.test(problem.detail), problem.detail);
  seen.add(code);
}
const own = (): string => `/v1/patients/${people.patient.id}/records`;
const anchorBatch = (n: number) => ({ op: "anchorBatch" as const, root: new Uint8Array(32).fill(n), count: 1 });

/** Codes of the API, and of transactions as they come through it; each row makes its own request. */
const rows: Record<string, () => Promise<Response>> = {
  malformed: () => stage.post("/v1/transactions", new Uint8Array([0xff, 0x00])),
  route_unknown: () => stage.fetch("/v1/nothing"),
  method_not_allowed: () => stage.fetch("/v1/status", { method: "DELETE" }),
  media_type_unsupported: () => stage.post("/v1/transactions", "{}", "application/json"),
  body_too_large: () => stage.post("/v1/sessions", new Uint8Array(64 * 1024)),
  session_missing: () => stage.fetch(own()),
  session_unknown: async () =>
    stage.fetch(own(), { headers: await patient.headers("GET", own(), undefined, { session: "0".repeat(32) }) }),
  session_period_wrong: () => stage.openSession("patient", { notAfter: (seconds() + 100_000) as never }),
  request_signature_malformed: async () =>
    stage.fetch(own(), { headers: { ...(await patient.headers("GET", own())), signature: "sig=:AAAA:" } }),
  request_signature_wrong: async () =>
    stage.fetch(own(), { headers: await patient.headers("GET", own(), undefined, { key: keyOf("someone else") }) }),
  request_stale: async () =>
    stage.fetch(own(), { headers: await patient.headers("GET", own(), undefined, { created: seconds() - 61 }) }),
  request_replayed: async () => {
    const headers = await patient.headers("GET", own());
    assert.equal((await stage.fetch(own(), { headers })).status, 200);
    return stage.fetch(own(), { headers });
  },
  content_digest_wrong: async () => {
    const path = "/v1/fhir/$validate";
    const headers = await patient.headers("POST", path, new TextEncoder().encode("{}"));
    return stage.post(path, "[]", "application/json", headers);
  },
  not_visible: () => patient.get(`/v1/patients/${people.stranger.id}/records`),
  height_unknown: () => stage.fetch("/v1/light-blocks/123456789"),
  too_many_streams: async () => {
    const stop = new AbortController();
    const open = await stage.fetch("/v1/events", { headers: await patient.headers("GET", "/v1/events"), signal: stop.signal });
    assert.equal(open.status, 200);
    const second = await patient.get("/v1/events");
    stop.abort();
    return second;
  },
  custodian_not_served: () => stage.post(`/v1/custodians/${CUSTODIANS[1]}/releases`, new Uint8Array(1)),
  permit_missing: () => stage.post(`/v1/custodians/${CUSTODIANS[0]}/releases`, new Uint8Array(1)),
  not_provable_yet: () => patient.get("/v1/state?key=parameters&height=99999999"),
  wrong_chain: async () =>
    stage.post("/v1/transactions", await stage.transaction("hospital-a", [anchorBatch(1)], { chain: "other-000000000000" })),
  expired: async () =>
    stage.post(
      "/v1/transactions",
      await stage.transaction("hospital-a", [anchorBatch(1)], { notAfter: { time: 1 as never, height: 1 as never } }),
    ),
  too_far_ahead: async () =>
    stage.post(
      "/v1/transactions",
      await stage.transaction("hospital-a", [anchorBatch(1)], {
        notAfter: { time: (seconds() + 5_000) as never, height: (stage.ledger.height() + 200_000) as never },
      }),
    ),
  oversize: async () =>
    stage.post(
      "/v1/transactions",
      await stage.transaction(
        "hospital-a",
        Array.from({ length: 900 }, (_, i) => ({ ...readOnly, hpke: new Uint8Array(1216).fill(i) })),
      ),
    ),
  unknown_signer: async () => {
    const transaction = await stage.transaction("hospital-a", [anchorBatch(1)], {
      signer: { actor: "0".repeat(32) as never, key: "0".repeat(16), suite: "ed25519" },
    });
    return stage.post("/v1/transactions", transaction);
  },
  unknown_key: async () =>
    stage.post("/v1/transactions", await stage.transaction("hospital-a", [anchorBatch(1)], {}, keyOf("another"))),
  sponsor_not_yours: async () =>
    stage.post("/v1/transactions", await stage.transaction("hospital-a", [anchorBatch(1)], { sponsor: "hospital-b" as never })),
  sponsor_unknown: async () =>
    stage.post("/v1/transactions", await stage.transaction("hospital-a", [anchorBatch(1)], { sponsor: "nobody" as never })),
  signature_wrong: async () => {
    const { body, signature } = cbor.decode(await stage.transaction("hospital-a", [anchorBatch(1)]), MIB) as {
      body: Uint8Array;
      signature: Uint8Array;
    };
    return stage.post(
      "/v1/transactions",
      encodeTransaction(
        body,
        signature.map((byte) => byte ^ 1),
      ),
    );
  },
  already_known: async () => {
    const transaction = await stage.transaction("hospital-a", [anchorBatch(9)]);
    assert.equal((await stage.post("/v1/transactions", transaction)).status, 202);
    return stage.post("/v1/transactions", transaction);
  },
  transaction_unknown: () => stage.fetch(`/v1/receipts/${"0".repeat(64)}`),
  enrolment_key_only_enrols: async () => {
    const { id } = people.stranger;
    const enrolment = {
      publicKey: { suite: "ed25519" as const, key: keyOf("new phone").publicKey },
      notAfter: (seconds() + 500) as never,
      replace: false,
    };
    await stage.accepted("stranger", { op: "authorizeEnrolment", actor: id, enrolment });
    const { keyId } = await import("@xinglin/crypto/pure");
    return stage.openSession("stranger", { key: keyId("ed25519", keyOf("new phone").publicKey) }, keyOf("new phone"));
  },
};
const readOnly = {
  op: "requestAccess" as const,
  patient: people.patient.id,
  purpose: "TREAT" as const,
  class: { level: "sensitive" as const, category: "imaging" as const },
  target: { kind: "record" as const, record, version: 1 },
  credential: people.doctorB.credential,
};

for (const [code, run] of Object.entries(rows)) test(`answers ${code}`, async () => isProblem(await run(), code));

test("a name of another server is refused, whatever it resolves to", async () => {
  const { port } = new URL(stage.api.url);
  for (const host of ["evil.example", `evil.example:${port}`, "localhost:1", "localhost:x", "127.0.0.1.evil.example"]) {
    const status = await new Promise<number>((resolve, reject) => {
      const ask = httpRequest({ host: "127.0.0.1", port, path: "/v1/status", headers: { host } }, (answer) => {
        answer.resume();
        resolve(answer.statusCode ?? 0);
      });
      ask.once("error", reject);
      ask.end();
    });
    assert.equal(status, 421, host);
  }
  seen.add("host_unknown");
});

test("another host needs a certificate, and a taken port is named", async () => {
  const base = { ledger: stage.ledger, index: stage.index, port: 0 };
  await assert.rejects(
    createApi({ ...base, host: "0.0.0.0" }),
    (error) => error instanceof Fault && error.code === "tls_required",
  );
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, "localhost", resolve));
  const { port } = taken.address() as { port: number };
  const second = await createApi({ ...base, host: "localhost", port });
  await assert.rejects(
    second.listen(),
    (error) => error instanceof Fault && error.code === "port_in_use" && error.facts.port === port,
  );
  await second.close();
  await new Promise((resolve) => taken.close(resolve));
  const elsewhere = await createApi({ ...base, host: "192.0.2.1", tls: { key: "", cert: "" } }).catch((error) => error);
  assert.ok(elsewhere instanceof Error || typeof elsewhere.listen === "function");
  if (typeof elsewhere.listen === "function") {
    await assert.rejects(elsewhere.listen(), (error) => error instanceof Fault && error.code === "address_unavailable");
    await elsewhere.close();
  }
  seen.add("tls_required").add("port_in_use");
});

test("too many requests of one address are turned away for a while", async () => {
  const api = await createApi({
    ledger: stage.ledger,
    index: stage.index,
    host: "localhost",
    port: 0,
    clock: () => 0,
    limits: { requestsPerSecond: 1, burst: 3 },
  });
  await api.listen();
  const statuses: number[] = [];
  for (let i = 0; i < 4; i++) {
    const answer = await fetch(`${api.url}/v1/genesis`);
    statuses.push(answer.status);
    if (i === 3) await isProblem(answer, "rate_limited");
    else await answer.arrayBuffer();
  }
  assert.deepEqual(statuses, [200, 200, 200, 429]);
  await api.close();
});

test("a body that never ends is cut off", async () => {
  const { port } = new URL(stage.api.url);
  const socket = connect(Number(port), "localhost");
  socket.write(
    `POST /v1/transactions HTTP/1.1\r\nHost: localhost:${port}\r\nContent-Type: application/cbor\r\nContent-Length: 100\r\n\r\nabc`,
  );
  const answer = await new Promise<string>((resolve) => {
    let text = "";
    socket.on("data", (chunk) => {
      text += chunk;
    });
    socket.on("close", () => resolve(text));
  });
  assert.match(answer, /^HTTP\/1\.1 (408|400)/);
});

test("64 MiB of JSON are read, one byte more is not", async () => {
  const path = "/v1/fhir/$validate";
  const whole = new Uint8Array(64 * MIB).fill(0x20);
  const headers = await patient.headers("POST", path, whole);
  const read = await stage.post(path, whole as never, "application/json", headers);
  assert.equal(read.status, 200);
  const outcome = await read.json();
  assert.deepEqual(outcome.issue[0], {
    severity: "error",
    code: "invalid",
    details: { coding: [{ system: "urn:xinglin:fhir-issue", code: "element_missing" }] },
    expression: ["Bundle.type"],
    facts: {},
  });
  assert.deepEqual(outcome.issue[1].facts, { more: 2 });
  const more = new Uint8Array(64 * MIB + 1).fill(0x20);
  await isProblem(
    await stage.post(path, more as never, "application/json", await patient.headers("POST", path, more)),
    "body_too_large",
  );
});

test("bytes that are not canonical CBOR of the right shape are malformed, wherever they are sent", async () => {
  const session = cbor.encode({ statement: new Uint8Array(3), signature: new Uint8Array(64) });
  const wrong: readonly [string, Uint8Array][] = [
    ["/v1/transactions", new Uint8Array(0)],
    ["/v1/transactions", cbor.encode({ body: new Uint8Array(1) })],
    ["/v1/transactions", fromHex("a2646265656600")],
    ["/v1/transactions", cbor.encode([1.5])],
    ["/v1/transactions:batch", cbor.encode([])],
    ["/v1/transactions:batch", cbor.encode(["text"])],
    ["/v1/transactions:batch", cbor.encode(Array.from({ length: 1001 }, () => new Uint8Array(1)))],
    ["/v1/transactions:batch", fromHex("9f41 01ff".replaceAll(" ", ""))],
    ["/v1/sessions", session],
    ["/v1/sessions", new Uint8Array(10)],
  ];
  for (const [path, body] of wrong) await isProblem(await stage.post(path, body), "malformed");
  const queries = [
    "/v1/entries?limit=0",
    "/v1/entries?limit=201",
    "/v1/entries?before=-1",
    "/v1/entries?before=x",
    "/v1/state",
    "/v1/state?key=",
    "/v1/patients/UPPER/records",
    "/v1/records/xyz",
    "/v1/entries/-1/proof",
  ];
  for (const path of queries) await isProblem(await patient.get(path), "malformed");
  await isProblem(await stage.fetch("/v1/light-blocks/0"), "malformed");
  await isProblem(await stage.fetch("/v1/receipts/zz"), "malformed");
  await isProblem(await stage.post("/v1/transactions?wait=forever", new Uint8Array(1)), "malformed");
});

test("a request counts as it was signed: another method, path, query, body or address is refused", async () => {
  const path = `${own()}?limit=5`;
  const body = new TextEncoder().encode("{}");
  const validate = "/v1/fhir/$validate";
  const tampered: Record<string, () => Promise<Response>> = {
    path: async () =>
      stage.fetch(`/v1/patients/${people.patient.id}/accesses?limit=5`, { headers: await patient.headers("GET", path) }),
    query: async () => stage.fetch(`${own()}?limit=6`, { headers: await patient.headers("GET", path) }),
    "no query": async () => stage.fetch(own(), { headers: await patient.headers("GET", path) }),
    method: async () => stage.fetch(path, { headers: await patient.headers("GET", path, undefined, { method: "POST" }) }),
    "digest header": async () =>
      stage.post(validate, body as never, "application/json", {
        ...(await patient.headers("POST", validate, body)),
        "content-digest": "sha-256=:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=:",
      }),
    "digest left out": async () => {
      const { "content-digest": _, ...headers } = await patient.headers("POST", validate, body);
      return stage.post(validate, body as never, "application/json", headers);
    },
    authority: async () =>
      stage.fetch(path.replace("", ""), { headers: await patient.headers("GET", path) }).then((answer) => {
        assert.equal(answer.status, 200);
        return fetch(stage.api.url.replace("localhost", "127.0.0.1") + path, { headers: {} });
      }),
  };
  for (const [what, run] of Object.entries(tampered)) {
    const answer = await run();
    const { code } = await answer.json();
    assert.ok(["request_signature_wrong", "session_missing"].includes(code), `${what}: ${code}`);
  }
  const unsigned = await patient.headers("POST", validate);
  await isProblem(await stage.post(validate, body as never, "application/json", unsigned), "content_digest_wrong");
});

test("a request of one session is not another's, and a session ends", async () => {
  const stranger = await stage.as("stranger");
  await isProblem(
    await stage.fetch(own(), { headers: await patient.headers("GET", own(), undefined, { session: stranger.session }) }),
    "request_signature_wrong",
  );
  const [now, short] = [seconds(), 30];
  const request = await stage.openSession("doctorA", { notBefore: (now - 1) as never, notAfter: (now + short) as never });
  assert.equal(request.status, 201);
  const doctor = await stage.as("doctorA");
  skew = 610_000;
  const path = "/v1/grants";
  await isProblem(
    await stage.fetch(path, { headers: await doctor.headers("GET", path, undefined, { created: now + 610 }) }),
    "session_unknown",
  );
  skew = 0;
});

test("a session is opened only by a current key of an active actor, for this chain and this time", async () => {
  const statements: readonly [string, Promise<Response>][] = [
    ["wrong_chain", stage.openSession("patient", { chain: "other-000000000000" })],
    ["signature_wrong", stage.openSession("patient", {}, keyOf("someone else"))],
    ["unknown_signer", stage.openSession("patient", { actor: "0".repeat(32) as never })],
    ["unknown_key", stage.openSession("patient", { key: "0".repeat(16) })],
    ["suite_mismatch", stage.openSession("patient", { suite: "p256" })],
    ["session_period_wrong", stage.openSession("patient", { notBefore: (seconds() + 60) as never })],
    [
      "session_period_wrong",
      stage.openSession("patient", { notBefore: (seconds() - 900) as never, notAfter: (seconds() - 1) as never }),
    ],
    ["session_period_wrong", stage.openSession("patient", { notBefore: seconds() as never, notAfter: seconds() as never })],
  ];
  for (const [code, answer] of statements) await isProblem(await answer, code);
});

test("suspended staff loses the session at the next request, and a replaced key its sessions", async () => {
  const doctor = await stage.as("doctorB");
  assert.equal((await doctor.get("/v1/grants")).status, 200);
  await stage.accepted("hospital-b", { op: "setActorStatus", id: people.doctorB.id, status: "suspended" });
  await isProblem(await doctor.get("/v1/grants"), "signer_suspended");
  await isProblem(await stage.openSession("doctorB"), "signer_suspended");
  await stage.accepted("hospital-b", { op: "setActorStatus", id: people.doctorB.id, status: "active" });
  await isProblem(await doctor.get("/v1/grants"), "session_unknown");

  const stranger = await stage.as("stranger");
  await stage.accepted("stranger", {
    op: "replaceKey",
    publicKey: { suite: "ed25519", key: keyOf("stranger's next").publicKey },
  });
  await isProblem(await stranger.get("/v1/entries"), "key_retired");

  await stage.accepted("commission", { op: "setMemberStatus", id: "hospital-b" as never, status: "suspended" });
  await isProblem(await stage.openSession("doctorB"), "sponsor_suspended");
  await stage.accepted("commission", { op: "setMemberStatus", id: "hospital-b" as never, status: "active" });
});

test("errors come in the language that is asked for", async () => {
  const ask = async (language: string) =>
    (await (await stage.fetch("/v1/nothing", { headers: { "accept-language": language } })).json()).detail;
  assert.equal(await ask("en-GB,zh;q=0.5"), sentenceOf("route_unknown", {}, "en"));
  assert.equal(await ask("fr, zh-CN;q=0.8, en;q=0.9"), sentenceOf("route_unknown", {}, "en"));
  assert.equal(await ask("en;q=0, zh"), sentenceOf("route_unknown", {}, "zh-CN"));
  assert.equal(await ask("fr"), sentenceOf("route_unknown", {}, "zh-CN"));
});

test("every answer carries the security headers and none for other origins", async () => {
  for (const path of ["/v1/status", "/v1/nothing", "/openapi.json"]) {
    const { headers } = await stage.fetch(path, { headers: { origin: "https://evil.example" } });
    assert.match(headers.get("content-security-policy") ?? "", /default-src 'self'.*frame-ancestors 'none'/);
    assert.ok(!(headers.get("content-security-policy") ?? "").includes("unsafe"));
    assert.equal(headers.get("x-content-type-options"), "nosniff");
    assert.equal(headers.get("referrer-policy"), "no-referrer");
    assert.ok([...headers.keys()].every((name) => !name.startsWith("access-control-")));
    assert.match(headers.get("x-request-id") ?? "", /^[0-9a-f-]{36}$/);
  }
  const preflight = await stage.fetch("/v1/transactions", {
    method: "OPTIONS",
    headers: { origin: "https://evil.example", "access-control-request-method": "POST" },
  });
  await isProblem(preflight, "method_not_allowed");
  assert.equal(preflight.headers.get("allow"), "POST");
});

test("every code of sessions and of the server was met above, or is met elsewhere", () => {
  // Faults of a bug, of a slow network or of a wait, of this machine's rights, and of services that this stage has.
  const elsewhere = [
    "internal",
    "request_timeout",
    "port_forbidden",
    "address_unavailable",
    "listen_failed",
    "peer_address_wrong",
  ];
  const missing = [...Object.keys(FAULTS["Server and HTTP"]), ...Object.keys(FAULTS.Sessions)].filter(
    (code) => !seen.has(code) && !elsewhere.includes(code),
  );
  assert.deepEqual(missing, []);
});
