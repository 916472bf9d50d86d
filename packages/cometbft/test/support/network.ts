/** Networks that a test leaves nothing of, and a test that says so when there is no engine to run them on. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import type { Parameters } from "@xinglin/contracts";
import type { Ledger, Receipt, ReceiptStage } from "@xinglin/ledger";
import { anchor, signed } from "@xinglin/ledger/testing/chain";
import { type Bytes, Fault } from "@xinglin/primitives";
import { ensureEngine } from "../../src/engine/engine.ts";
import type { ConsensusTimes } from "../../src/home/config-file.ts";
import { type LocalNetwork, type LocalNetworkOptions, localNetwork } from "../../src/testing/local-network.ts";
import { consortiumOf } from "./consortium.ts";

let found: Promise<string | Fault> | undefined;
/** The engine, built if need be; or why there is none. */
const engine = (): Promise<string | Fault> => {
  found ??= ensureEngine().catch((error: unknown) => {
    if (error instanceof Fault) return error;
    throw error;
  });
  return found;
};

/** A test that needs CometBFT: skipped by name, with the reason, where Go is missing. */
export function engineTest(name: string, run: (context: TestContext, binary: string) => Promise<void>): void {
  test(name, async (context) => {
    const binary = await engine();
    if (typeof binary === "string") await run(context, binary);
    else if (binary.code === "go_missing") context.skip(`CometBFT is not built: ${binary.message}`);
    else throw binary;
  });
}

/** An empty folder; what is started in it is stopped by `cleanUp` before it is removed. */
export async function emptyFolder(context: TestContext, cleanUp: () => unknown = () => {}): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "comet-"));
  context.after(async () => {
    await cleanUp();
    await rm(path, { recursive: true, force: true });
  });
  return path;
}

/** So many validators, started; stopped when the test ends. */
export async function network(
  context: TestContext,
  binary: string,
  validators: number,
  parameters: Partial<Parameters> = {},
  options: Partial<LocalNetworkOptions> = {},
): Promise<LocalNetwork> {
  let started: LocalNetwork | undefined;
  const directory = await emptyFolder(context, () => started?.stop());
  started = await localNetwork({ binary, directory, ...consortiumOf(validators, parameters), ...options });
  return started;
}

/** Times for nodes on one machine that is busy with tests: a proposer that is gone costs the others a second. */
export const TEST_TIMES: ConsensusTimes = { proposeMs: 1_000, voteMs: 300, commitMs: 50, gossipMs: 20 };

let named = 0;
/** Submits an anchored batch that no other call does; resolves to its id. */
export async function submit(ledger: Ledger, key = "hospital-a"): Promise<Bytes> {
  const operations = [anchor(`${process.pid} ${named++}`)];
  return (await ledger.submit(signed({ chain: ledger.chainId, key, operations }))).id;
}

/** The receipt, however long there are no blocks meanwhile: a chain that stands still turns away who waits. */
export async function receiptOf(ledger: Ledger, id: Bytes, stage: ReceiptStage): Promise<Receipt> {
  for (;;) {
    try {
      return await ledger.receipt(id, stage);
    } catch (error) {
      if (!(error instanceof Fault && error.code === "ledger_unavailable")) throw error;
      await untilHeight(ledger, ledger.height() + 1);
    }
  }
}

/** Resolves when the ledger has a block of this height. */
export async function untilHeight(ledger: Ledger, height: number): Promise<void> {
  if (ledger.height() >= height) return;
  await new Promise<void>((resolve) => {
    const stop = ledger.subscribe((notice) => {
      if (notice.height < height) return;
      stop();
      resolve();
    });
    if (ledger.height() >= height) {
      stop();
      resolve();
    }
  });
}

/** The height once no block has come for a while: longer than what is on its way between processes takes. */
export async function quietHeight(ledger: Ledger): Promise<number> {
  for (;;) {
    const height = ledger.height();
    const more = await Promise.race([untilHeight(ledger, height + 1).then(() => true), pause(QUIET_MS).then(() => false)]);
    if (!more) return height;
  }
}
const QUIET_MS = 1_000;
const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));
