export * from "./bytes.ts";
export * as cbor from "./cbor.ts";
export * from "./fault.ts";
export * from "./ids.ts";
export * from "./message.ts";
export { Recent } from "./recent.ts";
export * from "./result.ts";
export type { Infer, Schema } from "./schema.ts";
export * as schema from "./schema.ts";
