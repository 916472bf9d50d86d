export type * from "./abci/handlers.ts";
export { RETRY_CODE } from "./abci/handlers.ts";
export { type AbciEvent, AbciServer, type AbciServerOptions, DEFAULT_MAX_FRAME_BYTES } from "./abci/server.ts";
