export { ChainFollower, type ChainTrust, type ChainView } from "./chain-view.ts";
export * from "./contract.ts";
export { Custodian, type CustodianOptions } from "./custodian.ts";
export { encodeKeyShareInfo, type KeyShareInfo } from "./share-info.ts";
export { ShareStore, writeFileDurably } from "./share-store.ts";
