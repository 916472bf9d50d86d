/**
 * Where a node's main thread spends its time, by part of the project: a sampling profile, in which time spent below the project (Node, V8's own
 * functions, native code) counts for the project's function that called it.
 */
import { type Profiler, Session } from "node:inspector/promises";

/** Seconds that were sampled at work, and the share of each part in them. */
export interface Shares {
  readonly seconds: number;
  readonly shares: Readonly<Record<string, number>>;
}

/** What the parts are called in the figures. */
const PARTS: readonly [RegExp, string][] = [
  [/packages\/contracts\//, "rules"],
  [/packages\/state\/|classic-level|abstract-level/, "state"],
  [
    /packages\/primitives\/|packages\/cometbft\/src\/(abci|proto|rpc)\/|@bufbuild|crypto\/src\/pure\/(cometbft|protobuf)/,
    "encoding",
  ],
  [/packages\/crypto\/src\/(pure\/|node\/index)/, "hashing"],
  [/packages\/crypto\//, "signatures"],
  [/packages\/ledger\//, "ledger"],
  [/packages\/cometbft\//, "driver"],
  [/bench\//, "load"],
];
const SAMPLE_MICROSECONDS = 500;

/** A profile that is being taken. */
export class Profile {
  readonly #session: Session;
  private constructor(session: Session) {
    this.#session = session;
  }

  static async start(): Promise<Profile> {
    const session = new Session();
    session.connect();
    await session.post("Profiler.enable");
    await session.post("Profiler.setSamplingInterval", { interval: SAMPLE_MICROSECONDS });
    await session.post("Profiler.start");
    return new Profile(session);
  }

  async stop(): Promise<Shares> {
    const { profile } = await this.#session.post("Profiler.stop");
    this.#session.disconnect();
    return sharesOf(profile);
  }
}

/** Seconds of each part of a profile, idling left out. */
export function sharesOf({ nodes, samples = [], timeDeltas = [] }: Profiler.Profile): Shares {
  const own = new Map<number, number>();
  for (const [i, id] of samples.entries()) own.set(id, (own.get(id) ?? 0) + (timeDeltas[i] ?? 0) / 1e6);
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const seconds: Record<string, number> = {};
  const walk = (id: number, above: string): void => {
    const node = byId.get(id);
    if (node === undefined) return;
    const { functionName, url } = node.callFrame;
    // Starting and stopping the profile takes time, too.
    if (functionName === "(idle)" || url === "node:inspector") return;
    const part = functionName === "(garbage collector)" ? "garbage" : (PARTS.find(([form]) => form.test(url))?.[1] ?? above);
    seconds[part] = (seconds[part] ?? 0) + (own.get(id) ?? 0);
    for (const child of node.children ?? []) walk(child, part);
  };
  walk(nodes[0]?.id ?? 0, "runtime");
  const sum = Object.values(seconds).reduce((total, one) => total + one, 0);
  return { seconds: sum, shares: Object.fromEntries(Object.entries(seconds).map(([part, one]) => [part, one / sum])) };
}
