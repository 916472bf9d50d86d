/**
 * The outcome of a rule: a value, or a refusal. Refusals are values, never exceptions.
 * Source: style.md, "Errors are of three kinds".
 */
export type Result<Value, Refusal> =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly refusal: Refusal };

/** The outcome of a rule that lets it be, with what follows from it. */
export const accept = <Value>(value: Value): { readonly ok: true; readonly value: Value } => ({ ok: true, value });

/** The outcome of a rule that says no, with a stable code and the facts it rests on. */
export const refuse = <Refusal>(refusal: Refusal): { readonly ok: false; readonly refusal: Refusal } => ({ ok: false, refusal });
