export { ChainFollower, type ChainTrust, type ChainView } from "./chain-view.ts";
export * from "./contract.ts";
export { Custodian, type CustodianOptions } from "./custodian.ts";
export { remoteCustodian } from "./remote.ts";
export { serveCustodian } from "./server.ts";
export type { CustodianService } from "./service.ts";
export { encodeKeyShareInfo, type KeyShareInfo } from "./share-info.ts";
export { ShareStore, writeFileDurably } from "./share-store.ts";
