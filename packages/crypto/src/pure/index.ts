export * as cometbft from "./cometbft/index.ts";
export * from "./frontier.ts";
export * as ics23 from "./ics23.ts";
export * as merkle from "./merkle.ts";
export * from "./sha256.ts";
export * from "./suite.ts";
