/**
 * A custodian's process: `custodian --genesis FILE --key FILE --shares DIR --port N --node URL`. It follows the chain of the genesis through
 * its own member's node and keeps shares; it holds nothing else.
 * Source: design.md, "Packages" (`services/custodian`).
 */
import { readFileSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import { parseArgs } from "node:util";
import { ApiClient, ApiLightSource } from "@xinglin/client";
import { nodeCurves } from "@xinglin/crypto/node";
import { Custodian, serveCustodian } from "@xinglin/custody";
import { proveState, readKeyFile } from "@xinglin/gateway";
import { Fault, type UnixSeconds } from "@xinglin/primitives";

/** Until a node that does not answer is asked again. */
const AGAIN_MS = 30_000;

const { values } = parseArgs({
  options: {
    genesis: { type: "string" },
    key: { type: "string" },
    shares: { type: "string" },
    node: { type: "string" },
    host: { type: "string", default: "localhost" },
    port: { type: "string", default: "0" },
  },
});
const need = (name: "genesis" | "key" | "shares" | "node"): string => {
  const value = values[name];
  if (value === undefined) throw new Fault("option_missing", { option: `--${name}` });
  return value;
};

try {
  const node = need("node");
  const key = readKeyFile(need("key"));
  if (key.hpkeSeed === undefined) throw new Fault("key_file_unreadable", { path: need("key") });
  const client = new ApiClient({ url: node });
  const custodian = new Custodian({
    id: key.actor,
    member: key.member,
    directory: need("shares"),
    signer: key.signer,
    hpkePrivateKey: key.hpkeSeed,
    trust: {
      genesis: readFileSync(need("genesis")),
      curves: nodeCurves,
      now: () => Math.floor(Date.now() / 1000) as UnixSeconds,
      newest: (keys) => proveState(client, key, keys),
      lightBlocks: new ApiLightSource(client),
    },
  });
  const server = await serveCustodian(custodian, { host: values.host, port: Number(values.port) });
  const address = server.address();
  process.stdout.write(
    `custodian ${key.actor} port ${typeof address === "object" && address !== null ? address.port : values.port}\n`,
  );
  const stopped = new AbortController();
  const stop = (): void => {
    stopped.abort();
    server.close();
    server.closeAllConnections();
    if (process.connected === true) process.disconnect();
  };
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, stop);
  // Whoever started this as a child closes the channel when it ends, however it ends.
  process.once("disconnect", stop);
  await eraseEnded(custodian, stopped.signal);
} catch (error) {
  if (!(error instanceof Fault)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}

/**
 * What a folder put back from an old copy holds of ended records goes, beside the releases: each of those asks the chain about its record. The node may
 * still be starting: it is asked until it answers.
 */
async function eraseEnded(custodian: Custodian, signal: AbortSignal): Promise<void> {
  while (!signal.aborted)
    try {
      await custodian.eraseEnded(undefined, signal);
      return;
    } catch (error) {
      if (!(error instanceof Fault && error.retry)) throw error;
      await setTimeout(AGAIN_MS, undefined, { signal }).catch(() => undefined);
    }
}
