/** A reader that follows the chain believes no server: every answer that is not what the validators signed is found out. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { ApiClient, followEvents, type Identity, type LiveEvent, TrustedChain } from "@xinglin/client";
import { decodeGenesis, encodeGenesis, keys } from "@xinglin/contracts";
import { type Bytes, cbor } from "@xinglin/primitives";
import { decodeLightBlock, encodeLightBlock } from "@xinglin/verifier";
import { consent, openTestStage, type TestStage } from "./open-stage.ts";

let stage: TestStage;
let patient: Identity;
before(async () => {
  stage = await openTestStage();
  patient = stage.patient.atA;
  await consent(stage, stage.patient.atA, ["imaging"]);
});
after(() => stage.close());

type Lie = (path: string, answer: Bytes) => Bytes | Response | Promise<Bytes | Response>;
interface Seen {
  readonly method: string;
  readonly path: string;
  readonly headers: Headers;
}

/** A client whose answers pass through someone who may change them. */
function through(lie: Lie, options: { chainId?: string } = {}): { client: ApiClient; seen: Seen[] } {
  const seen: Seen[] = [];
  const between: typeof fetch = async (input, init) => {
    const path = String(input).slice(stage.client.url.length);
    seen.push({ method: init?.method ?? "GET", path, headers: new Headers(init?.headers) });
    const answer = await fetch(input, init);
    if (!answer.ok || answer.headers.get("content-type")?.startsWith("text/event-stream") === true) return answer;
    const changed = await lie(path, new Uint8Array(await answer.arrayBuffer()));
    return changed instanceof Response
      ? changed
      : new Response(changed as Uint8Array<ArrayBuffer>, { status: answer.status, headers: answer.headers });
  };
  return { client: new ApiClient({ url: stage.client.url, fetch: between, ...options }), seen };
}
type Proof = { height: number; key: string; value?: Bytes; proof: Bytes; lightBlock: Bytes };
const onState =
  (change: (proof: Proof) => Proof | Promise<Proof>): Lie =>
  async (path, answer) =>
    path.startsWith("/v1/state") ? cbor.encode(await change(cbor.decodeTrusted(answer) as Proof)) : answer;
const head = (): string => keys.consentHead(patient.actor);
const flip = (bytes: Bytes, at: number): Bytes => bytes.map((byte, i) => (i === at ? byte ^ 1 : byte));
const found = async (lie: Lie, code: RegExp, key = head(), height?: number): Promise<void> => {
  const chain = await TrustedChain.of(through(lie).client);
  await assert.rejects(chain.prove(patient, key, height), (error: { code: string }) => {
    assert.match(error.code, code);
    return true;
  });
};

test("an honest answer is believed", async () => {
  const { client } = through((_, answer) => answer);
  const chain = await TrustedChain.of(client, stage.consortium.ledger.chainId);
  assert.notEqual((await chain.prove(patient, head())).value, undefined);
  assert.equal((await chain.prove(patient, keys.consent(patient.actor, 99))).value, undefined);
});

test("a changed value, a hidden one and an invented one are found out", async () => {
  await found(
    onState((proof) => ({ ...proof, value: flip(proof.value as Bytes, (proof.value as Bytes).length - 1) })),
    /^proof_wrong$/,
  );
  await found(
    onState(({ value: _, ...hidden }) => hidden),
    /^proof_wrong$/,
  );
  const value = stage.consortium.ledger.get(keys.consent(patient.actor, 1)) as Bytes;
  await found(
    onState((proof) => ({ ...proof, value })),
    /^proof_wrong$/,
    keys.consent(patient.actor, 99),
  );
  for (const at of [0, 10, 100])
    await found(
      onState((proof) => ({ ...proof, proof: flip(proof.proof, at) })),
      /^proof_wrong$/,
    );
  const other = await stage.client.prove(patient, keys.actor(patient.actor));
  await found(
    onState(() => other),
    /^proof_wrong$/,
  );
  await found(
    onState((proof) => ({ ...other, key: proof.key })),
    /^proof_wrong$/,
  );
});

test("another block, a forged one and one of another height are found out", async () => {
  const early = stage.consortium.ledger.lightBlock(2) as Bytes;
  await found(
    onState((proof) => ({ ...proof, lightBlock: early })),
    /^proof_wrong$/,
  );
  await found(
    onState((proof) => ({ ...proof, lightBlock: early, height: 1 })),
    /^proof_wrong$/,
  );
  const forged = (change: object) =>
    onState((proof) => {
      const block = decodeLightBlock(proof.lightBlock);
      return { ...proof, lightBlock: encodeLightBlock({ ...block, header: { ...block.header, ...change } }) };
    });
  await found(forged({ appHash: new Uint8Array(32) }), /^header_|^commit_|^signature/);
  await found(forged({ chainId: "another" }), /^header_|^commit_|^signature/);
  await found(forged({ time: { seconds: 1, nanos: 0 } }), /^header_|^commit_|^signature/);
  // True, but of an older height than was asked for: what came in between stays hidden.
  const height = stage.consortium.ledger.provableHeight();
  const old = await stage.client.prove(patient, head(), height - 1);
  await found(
    onState(() => old),
    /^proof_wrong$/,
    head(),
    height,
  );
});

test("an entry of the audit log is the one that was asked for, unchanged", async () => {
  const { sequence } = (await ownEntries())[0] as { sequence: number };
  const proofOf = (change: (proof: Record<string, unknown>) => Record<string, unknown>): Lie => {
    return (path, answer) =>
      path.endsWith("/proof") ? cbor.encode(change(cbor.decodeTrusted(answer) as Record<string, unknown>)) : answer;
  };
  const honest = await (await TrustedChain.of(stage.client)).proveEntry(patient, sequence);
  assert.equal(honest.entry.by.actor, patient.actor);
  const lies: ((proof: Record<string, unknown>) => Record<string, unknown>)[] = [
    (proof) => ({ ...proof, entry: flip(proof.entry as Bytes, (proof.entry as Bytes).length - 1) }),
    (proof) => ({ ...proof, index: (proof.index as number) + 1 }),
    (proof) => ({ ...proof, sequence: sequence + 1, index: (proof.index as number) - 1 }),
    (proof) => ({ ...proof, path: (proof.path as Bytes[]).slice(1) }),
  ];
  for (const lie of lies) {
    const chain = await TrustedChain.of(through(proofOf(lie)).client);
    await assert.rejects(chain.proveEntry(patient, sequence), { code: "proof_wrong" });
  }
  const others = await stage.client.getBytes(`/v1/entries/${sequence - 1}/proof`, stage.key("commission/administration"));
  const chain = await TrustedChain.of(through((path, answer) => (path.endsWith("/proof") ? others : answer)).client);
  await assert.rejects(chain.proveEntry(patient, sequence), { code: "proof_wrong" });
});

test("another genesis is found out before anything is signed for it", async () => {
  const genesis = decodeGenesis(stage.consortium.ledger.genesis);
  const another = encodeGenesis({ ...genesis, name: "another" });
  const lie: Lie = (path, answer) => (path === "/v1/genesis" ? another : answer);
  const { chainId } = stage.consortium.ledger;
  await assert.rejects(TrustedChain.of(through(lie).client, chainId), { code: "wrong_chain" });
  const { client, seen } = through(lie, { chainId });
  await assert.rejects(client.submit(patient, [{ op: "revokeConsent", patient: patient.actor, number: 1 }]), {
    code: "wrong_chain",
  });
  await assert.rejects(client.getJson(`/v1/patients/${patient.actor}/consents`, patient), { code: "wrong_chain" });
  assert.deepEqual([...new Set(seen.map(({ path }) => path))], ["/v1/genesis"]);
});

test("what is withheld is an error with a code, never an absence", async () => {
  const gone =
    (status: number, body: string): Lie =>
    (path, answer) =>
      path.startsWith("/v1/state") ? new Response(body, { status }) : answer;
  await found(gone(503, JSON.stringify({ code: "ledger_unavailable", facts: {}, retry: true })), /^ledger_unavailable$/);
  await found(gone(502, "<html>"), /^api_answer_unreadable$/);
  await found(gone(200, ""), /^malformed$/);
  const cut: typeof fetch = () => Promise.reject(new TypeError("fetch failed"));
  await assert.rejects(TrustedChain.of(new ApiClient({ url: stage.client.url, fetch: cut })), {
    code: "api_unreachable",
    retry: true,
  });
});

test("a session that the server forgot is opened again, once", async () => {
  const forgotten = (times: number): Lie => {
    let left = times;
    return (path, answer) =>
      path.includes("/consents") && left-- > 0
        ? new Response(JSON.stringify({ code: "session_unknown", facts: {}, retry: true }), { status: 401 })
        : answer;
  };
  const path = `/v1/patients/${patient.actor}/consents`;
  const once = through(forgotten(1));
  await once.client.getJson(path, patient);
  await once.client.getJson(path, patient);
  assert.equal(once.seen.filter((request) => request.path === "/v1/sessions").length, 2);
  await assert.rejects(through(forgotten(2)).client.getJson(path, patient), { code: "session_unknown" });
});

test("events go on where the line broke: nothing is lost and nothing told twice", async () => {
  const stop = new AbortController();
  const lines: AbortController[] = [];
  const resumed: (string | null)[] = [];
  const breaking: typeof fetch = async (input, init) => {
    if (!String(input).endsWith("/v1/events")) return fetch(input, init);
    resumed.push(new Headers(init?.headers).get("last-event-id"));
    const line = new AbortController();
    lines.push(line);
    return fetch(input, { ...init, signal: AbortSignal.any([line.signal, stop.signal]) });
  };
  const client = new ApiClient({ url: stage.client.url, fetch: breaking });
  const told: LiveEvent[] = [];
  const states: boolean[] = [];
  const waiting = new Set<() => void>();
  const until = (holds: () => boolean): Promise<void> =>
    new Promise((resolve) => {
      const look = (): void => {
        if (!holds()) return;
        waiting.delete(look);
        resolve();
      };
      waiting.add(look);
      look();
    });
  const changed = (): void => {
    for (const look of waiting) look();
  };
  const following = followEvents(client, patient, {
    signal: stop.signal,
    onEvent: (event) => {
      if (event.event === "entry") told.push(event);
      changed();
    },
    onState: (isUp) => {
      states.push(isUp);
      changed();
    },
  });
  await until(() => states.length === 1);
  await consent(stage, stage.patient.atA, ["laboratory"]);
  await until(() => told.length === 1);
  lines[0]?.abort();
  await until(() => states.at(-1) === false);
  await consent(stage, stage.patient.atA, ["vitals"]); // while the line is down
  await until(() => told.length === 2);
  await consent(stage, stage.patient.atA, ["medication"]);
  await until(() => told.length === 3);
  stop.abort();
  await following;
  assert.deepEqual(states.slice(0, 3), [true, false, true]);
  assert.deepEqual(resumed, [null, told[0]?.id]);
  const own = (await ownEntries()).slice(0, 3).map(({ sequence }) => String(sequence));
  assert.deepEqual(told.map(({ id }) => id).reverse(), own);
});

/** The patient's own entries in the audit log, newest first. */
const ownEntries = async (): Promise<{ sequence: number }[]> =>
  ((await stage.client.getJson(`/v1/entries?patient=${patient.actor}`, patient)) as { items: { sequence: number }[] }).items;
