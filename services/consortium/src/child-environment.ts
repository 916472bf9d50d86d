/** Programs of ours start in half the time when what they load was compiled before: by an earlier start, or by one beside them. */
import { fileURLToPath } from "node:url";

const COMPILED = fileURLToPath(new URL("../../../node_modules/.cache/xinglin/compiled", import.meta.url));

/** The environment that our own programs are started with. */
export const childEnvironment = (): NodeJS.ProcessEnv => ({ NODE_COMPILE_CACHE: COMPILED, ...process.env });
