export * from "./content-digest.ts";
export * from "./nonces.ts";
export * from "./request-signature.ts";
