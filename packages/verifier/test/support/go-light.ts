/**
 * Asks CometBFT's own Go code through `engine/oracles/light`. Built once by Go's cache; needs Go and its modules.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const oracles = fileURLToPath(new URL("../../../../engine/oracles", import.meta.url));

export type Check =
  | { readonly op: "light_block" | "block"; readonly bytes: string }
  | { readonly op: "verify"; readonly trusted: string; readonly bytes: string; readonly nowSeconds: number }
  /** A whole light client that trusts the first of `blocks`; `nodes[0]` is its primary, each node a list of places in `blocks`. */
  | {
      readonly op: "client";
      readonly blocks: readonly string[];
      readonly nodes: readonly (readonly number[])[];
      readonly height: number;
      readonly nowSeconds: number;
      readonly periodSeconds: number;
    }
  /** Whether a node with the trusted and the common block would take the evidence. */
  | {
      readonly op: "evidence";
      readonly bytes: string;
      readonly trusted: string;
      readonly common: string;
      readonly nowSeconds: number;
    }
  | {
      readonly op: "results";
      readonly results: readonly {
        readonly code: number;
        readonly data: string;
        readonly gasWanted: number;
        readonly gasUsed: number;
      }[];
    }
  | { readonly op: "params"; readonly maxBytes: number; readonly maxGas: number };

export interface Answer {
  readonly ok: boolean;
  readonly error?: string;
  readonly hash?: string;
  readonly validatorsHash?: string;
  readonly lastCommitHash?: string;
  readonly bytes?: string;
  readonly partsTotal?: number;
  readonly partsHash?: string;
  /** Of a client: it refused because two nodes contradict each other. */
  readonly attack?: boolean;
}

/** Why the oracle cannot be asked on this machine, or undefined if it can. */
export function whatIsMissing(): string | undefined {
  if (spawnSync("go", ["version"]).status !== 0) return "go is not installed";
  const download = spawnSync("go", ["mod", "download"], { cwd: oracles, encoding: "utf8" });
  return download.status === 0 ? undefined : "the Go modules of engine/oracles can't be downloaded";
}

/** CometBFT's answers, one for each check. */
export function askCometbft(chainId: string, checks: readonly Check[]): Answer[] {
  const input = JSON.stringify({ chainId, checks });
  return JSON.parse(
    execFileSync("go", ["run", "./light"], { cwd: oracles, input, encoding: "utf8", maxBuffer: 1 << 28 }),
  ) as Answer[];
}
