export * from "./content-digest.ts";
export * from "./request-signature.ts";
export * from "./statement.ts";
