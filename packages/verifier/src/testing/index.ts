export * from "./test-chain.ts";
export * from "./test-source.ts";
export * from "./test-state.ts";
