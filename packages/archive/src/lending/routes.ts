/** The routes of a store service, each with what its body may have. Source: docs/internals/archive.md, "At another member's". */
import { cbor, Fault, schema, toHex } from "@xinglin/primitives";
import type { DocumentName } from "../store/store.ts";
import type { LentStore } from "./lent-store.ts";
import type { GuestStage, GuestStages } from "./stages.ts";
import { LIST_PAGE, MAX_DOCUMENT_BYTES, MAX_PART_BYTES, MAX_SMALL_BYTES, stageRequest } from "./wire.ts";

/** Bytes as they are, a value as CBOR, or nothing to say. */
export type Answer = Uint8Array | object | undefined;

/** One request of a guest. */
export interface Ask {
  readonly member: string;
  readonly lent: LentStore;
  readonly stages: GuestStages;
  readonly body: Uint8Array;
  /** What the path names, in order. */
  readonly names: readonly string[];
  readonly query: URLSearchParams;
}

interface Route {
  readonly maxBodyBytes: number;
  run(ask: Ask): Promise<Answer>;
}

const ID = "([0-9a-f]{32})";
const DOCUMENT = "(table|manifest)";
const position = schema.uint();

/** A number of the query. */
function number({ query }: Ask, name: string): number {
  const text = query.get(name) ?? "";
  if (!/^\d{1,16}$/.test(text)) throw new Fault("malformed", { element: `/${name}` });
  return position.parse(Number(text), `/${name}`);
}
/** The stage that the path names. */
const stageOf = ({ lent, stages, member, names: [token = ""] }: Ask): GuestStage => stages.find(token, member, lent.store.id);
const none: Answer = undefined;
const known = <T>(value: T | undefined): T => {
  if (value === undefined) throw new Fault("object_unknown");
  return value;
};

const routes: readonly { readonly method: string; readonly path: RegExp; readonly route: Route }[] = [
  on("GET", "/room", 0, ({ lent, member }) => lent.room(member)),
  on("GET", "/held", 0, ({ lent, member }) => lent.held(member)),
  on("POST", "/create", 0, async ({ lent, member }) => {
    await lent.create(member);
    return none;
  }),
  on("POST", "/collect", 0, async ({ lent, member }) => {
    const stages = await lent.collect(member);
    return {
      stages: stages.slice(0, LIST_PAGE).map(({ objectId, purpose }) => ({ objectId: toHex(objectId), purpose })),
    };
  }),
  on("GET", "/objects", 0, async ({ lent, query }) => {
    const after = query.get("after") ?? "";
    const ids = (await lent.store.list()).filter((id) => id > after).sort();
    return { ids: ids.slice(0, LIST_PAGE) };
  }),
  on("GET", `/objects/${ID}`, 0, async ({ lent, names: [id = ""] }) => ({ slot: known(await lent.slotOf(id)) })),
  on("GET", `/objects/${ID}/here`, 0, async ({ lent, names: [id = ""] }) => {
    if (!(await lent.has(id))) throw new Fault("object_unknown");
    return none;
  }),
  on("GET", `/objects/${ID}/pieces`, 0, async (ask) => {
    const [id = ""] = ask.names;
    return known(await ask.lent.read(id, number(ask, "at"), number(ask, "length")));
  }),
  on("GET", `/objects/${ID}/documents/${DOCUMENT}`, 0, async (ask) => {
    const [id = "", name] = ask.names;
    const document = await ask.lent.readDocument(id, name as DocumentName, number(ask, "max"));
    if (document === undefined) return new Uint8Array(1);
    const answer = new Uint8Array(1 + document.length);
    answer[0] = 1;
    answer.set(document, 1);
    return answer;
  }),
  on("PUT", `/objects/${ID}/pieces`, MAX_PART_BYTES, async (ask) => {
    const [id = ""] = ask.names;
    await ask.lent.rewrite(ask.member, id, number(ask, "at"), ask.body);
    return none;
  }),
  on(
    "PUT",
    `/objects/${ID}/documents/${DOCUMENT}`,
    MAX_DOCUMENT_BYTES,
    async ({ lent, member, names: [id = "", name], body }) => {
      await lent.rewriteDocument(member, id, name as DocumentName, body);
      return none;
    },
  ),
  on("POST", `/objects/${ID}/settle`, 0, async (ask) => {
    const [id = ""] = ask.names;
    await ask.lent.settle(ask.member, id, number(ask, "length"));
    return none;
  }),
  on("DELETE", `/objects/${ID}`, 0, async ({ lent, member, names: [id = ""] }) => {
    await lent.remove(member, id);
    return none;
  }),
  on("POST", "/stages", MAX_SMALL_BYTES, async ({ lent, member, body }) => ({
    stage: await lent.stage(member, stageRequest.parse(cbor.decode(body, MAX_SMALL_BYTES))),
  })),
  on("PUT", `/stages/${ID}/pieces`, MAX_PART_BYTES, async (ask) => {
    await ask.lent.write(stageOf(ask), number(ask, "at"), ask.body);
    return none;
  }),
  on("PUT", `/stages/${ID}/documents/${DOCUMENT}`, MAX_DOCUMENT_BYTES, async (ask) => {
    await ask.lent.writeDocument(stageOf(ask), ask.names[1] as DocumentName, ask.body);
    return none;
  }),
  on("POST", `/stages/${ID}/settle`, 0, async (ask) => {
    await stageOf(ask).pack.settle();
    return none;
  }),
  on("POST", `/stages/${ID}/publish`, 0, async (ask) => {
    await ask.lent.publish(stageOf(ask));
    return none;
  }),
  on("DELETE", `/stages/${ID}`, 0, async (ask) => {
    await ask.lent.discard(stageOf(ask));
    ask.stages.end(ask.names[0] ?? "");
    return none;
  }),
];

function on(method: string, path: string, maxBodyBytes: number, run: (ask: Ask) => Promise<Answer>) {
  return { method, path: new RegExp(`^/v1/stores/([a-z0-9][a-z0-9-]{0,63})${path}$`), route: { maxBodyBytes, run } };
}

/** The route of a request, with what its address names. */
export function findRoute(
  method: string,
  url: string,
):
  | { readonly route: Route; readonly store: string; readonly names: readonly string[]; readonly query: URLSearchParams }
  | undefined {
  const question = url.indexOf("?");
  const path = question < 0 ? url : url.slice(0, question);
  for (const { method: by, path: like, route } of routes) {
    if (by !== method) continue;
    const found = like.exec(path);
    if (found === null) continue;
    const [, store = "", ...names] = found;
    return { route, store, names, query: new URLSearchParams(question < 0 ? "" : url.slice(question + 1)) };
  }
  return undefined;
}
