export * from "./test-chain.ts";
export * from "./test-state.ts";
