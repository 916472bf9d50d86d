/** Something happened that must not happen, whatever the faults. */
export class Violation extends Error {
  override readonly name = "Violation";
}

/** Throws a `Violation` unless `holds`. */
export function mustHold(holds: boolean, what: string | (() => string)): asserts holds {
  if (!holds) throw new Violation(typeof what === "string" ? what : what());
}
