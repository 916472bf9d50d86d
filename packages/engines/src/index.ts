/** The programs in Go beside a node: built once, started, stopped. */
export * from "./build-program.ts";
export * from "./ipfs-node.ts";
