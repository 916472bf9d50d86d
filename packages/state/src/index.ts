export * from "./contract.ts";
export { DATABASE_OPTIONS, openState } from "./open.ts";
