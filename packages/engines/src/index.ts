/** The programs in Go beside a node: built once, started, stopped. */
export * from "./build-program.ts";
export * from "./go-build.ts";
export { findGo } from "./go-toolchain.ts";
export * from "./ipfs-node.ts";
export * from "./machine-lock.ts";
