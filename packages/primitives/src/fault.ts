/**
 * The project's error for disk, network, peer or input that failed. Every fault has a stable code, which the catalogue in
 * `packages/api` gives a sentence in zh-CN and English; `facts` fill the sentence and never hold clinical values, names or keys.
 * Source: style.md, "Errors are of three kinds".
 */
export class Fault extends Error {
  readonly code: string;
  /** Whether the same call may succeed later. */
  readonly retry: boolean;
  readonly facts: Readonly<Record<string, string | number>>;

  constructor(
    code: string,
    facts: Readonly<Record<string, string | number>> = {},
    options: { cause?: unknown; retry?: boolean } = {},
  ) {
    const told = Object.entries(facts).map(([name, value]) => `${name}=${value}`);
    super(
      told.length === 0 ? code : `${code}: ${told.join(" ")}`,
      options.cause === undefined ? undefined : { cause: options.cause },
    );
    this.name = "Fault";
    this.code = code;
    this.retry = options.retry ?? false;
    this.facts = facts;
  }
}

/** A broken invariant is a bug: the node stops, since stopping is better than forking. */
export class Bug extends Error {
  override readonly name = "Bug";
}

/** Stops with a `Bug` unless `condition` holds. */
export function invariant(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Bug(message);
}
