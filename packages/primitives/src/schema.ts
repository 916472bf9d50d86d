/**
 * Shapes of values that come from outside: each `Schema` turns an unknown value into a typed one or throws `Fault("malformed")` that
 * names the element. Objects admit no unknown keys, every string, list and byte string has a bound, and no schema admits a float.
 * Source: design.md, "Transactions" (schemas admit no floats); CONTRIBUTING "Security".
 */
import type { Bytes } from "./bytes.ts";
import { Fault } from "./fault.ts";

/** What a value from outside must be, and the type it has once it is checked. */
export interface Schema<T> {
  /** Returns `value` typed, or throws `Fault("malformed")` naming `path`. */
  parse(value: unknown, path?: string): T;
  readonly isOptional?: true;
}
/** The type that a schema gives. */
export type Infer<S> = S extends Schema<infer T> ? T : never;

const wrong = (path: string, expected: string): Fault => new Fault("malformed", { element: path === "" ? "/" : path, expected });
const schema = <T>(parse: (value: unknown, path: string) => T): Schema<T> => ({
  parse: (value, path = "") => parse(value, path),
});

/** A string of `min`..`max` UTF-16 units that matches `pattern`, if one is given. */
export const text = <T extends string = string>(max: number, pattern?: RegExp, min = 1): Schema<T> =>
  schema((value, path) => {
    if (typeof value !== "string" || value.length < min || value.length > max)
      throw wrong(path, `text of ${min}..${max} characters`);
    if (pattern !== undefined && !pattern.test(value)) throw wrong(path, `text like ${pattern.source}`);
    return value as T;
  });

/** A byte string of exactly `length`, or between `length` and `max`, bytes. */
export const bytes = (length: number, max = length): Schema<Bytes> =>
  schema((value, path) => {
    if (!(value instanceof Uint8Array) || value.length < length || value.length > max)
      throw wrong(path, length === max ? `${length} bytes` : `${length}..${max} bytes`);
    return value;
  });

/** An integer from 0 (or `min`) to `max`, never a float or a bigint. */
export const uint = <T extends number = number>(max: number = Number.MAX_SAFE_INTEGER, min = 0): Schema<T> =>
  schema((value, path) => {
    if (!Number.isSafeInteger(value) || (value as number) < min || (value as number) > max || Object.is(value, -0))
      throw wrong(path, `integer ${min}..${max}`);
    return value as T;
  });

/** `true` or `false`. */
export const bool: Schema<boolean> = schema((value, path) => {
  if (typeof value !== "boolean") throw wrong(path, "true or false");
  return value;
});

/** One of a closed list of strings. */
export const oneOf = <const T extends string>(...values: readonly T[]): Schema<T> =>
  schema((value, path) => {
    if (!values.includes(value as T)) throw wrong(path, values.join("|"));
    return value as T;
  });

/** A list of `min`..`max` elements. */
export const list = <T>(element: Schema<T>, max: number, min = 0): Schema<T[]> =>
  schema((value, path) => {
    if (!Array.isArray(value) || value.length < min || value.length > max) throw wrong(path, `list of ${min}..${max}`);
    return value.map((item, i) => element.parse(item, `${path}/${i}`));
  });

/** The schema of an element that may be absent from its object. */
export type Optional<T> = Schema<T> & { readonly isOptional: true };
/** An element that may be absent; present but `null` or `undefined` is malformed. */
export const optional = <T>(inner: Schema<T>): Optional<T> => ({ parse: inner.parse, isOptional: true });

type Shape = Readonly<Record<string, Schema<unknown>>>;
type Object_<S extends Shape> = { [K in keyof S as S[K] extends { isOptional: true } ? never : K]: Infer<S[K]> } & {
  [K in keyof S as S[K] extends { isOptional: true } ? K : never]?: Infer<S[K]>;
};
/** The type that an object's schema gives: optional elements may be absent, all others are there. */
export type ObjectOf<S extends Shape> = { [K in keyof Object_<S>]: Object_<S>[K] };

/** An object with exactly these elements. An unknown one is not repeated in the fault: its name may be anything, a person's too. */
export function object<const S extends Shape>(shape: S): Schema<ObjectOf<S>> {
  const names = Object.keys(shape);
  return schema((value, path) => {
    if (typeof value !== "object" || value === null || Array.isArray(value) || value instanceof Uint8Array)
      throw wrong(path, "object");
    const source = value as Record<string, unknown>;
    for (const name of Object.keys(source))
      if (!Object.hasOwn(shape, name)) throw wrong(`${path}/(unknown)`, `no other than ${names.join("|")}`);
    const out: Record<string, unknown> = {};
    for (const name of names) {
      const element = shape[name] as Schema<unknown>;
      if (Object.hasOwn(source, name)) out[name] = element.parse(source[name], `${path}/${name}`);
      else if (element.isOptional !== true) throw wrong(`${path}/${name}`, "present");
    }
    return out as ObjectOf<S>;
  });
}

/** An object whose `tag` element chooses its shape. */
export function variant<const Tag extends string, const M extends Readonly<Record<string, Schema<unknown>>>>(
  tag: Tag,
  members: M,
): Schema<{ [K in keyof M & string]: Infer<M[K]> & { readonly [T in Tag]: K } }[keyof M & string]> {
  return schema((value, path) => {
    if (typeof value !== "object" || value === null) throw wrong(path, "object");
    const { [tag]: name, ...rest } = value as Record<string, unknown>;
    if (typeof name !== "string" || !Object.hasOwn(members, name)) throw wrong(`${path}/${tag}`, Object.keys(members).join("|"));
    const inner = (members[name] as Schema<object>).parse(rest, path);
    return { [tag]: name, ...inner } as never;
  });
}
