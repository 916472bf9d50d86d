export type * from "./abci/handlers.ts";
