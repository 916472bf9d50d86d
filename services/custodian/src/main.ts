/**
 * A custodian's process: `custodian --genesis FILE --key FILE --shares DIR --port N --node URL`. It follows the chain of the genesis through
 * its own member's node and keeps shares; it holds nothing else.
 * Source: design.md, "Packages" (`services/custodian`).
 */
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { ApiClient, ApiLightSource } from "@xinglin/client";
import { nodeCurves } from "@xinglin/crypto/node";
import { Custodian, serveCustodian } from "@xinglin/custody";
import { proveState, readKeyFile } from "@xinglin/gateway";
import { Fault, type UnixSeconds } from "@xinglin/primitives";

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
  // Nothing is released without the node, so one that can't be asked now endangers nothing.
  await custodian.eraseEnded().catch((error: unknown) => {
    if (!(error instanceof Fault && error.retry)) throw error;
  });
  const server = await serveCustodian(custodian, { host: values.host, port: Number(values.port) });
  const address = server.address();
  process.stdout.write(
    `custodian ${key.actor} port ${typeof address === "object" && address !== null ? address.port : values.port}\n`,
  );
  const stop = (): void => {
    server.close();
    server.closeAllConnections();
    if (process.connected === true) process.disconnect();
  };
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, stop);
  // Whoever started this as a child closes the channel when it ends, however it ends.
  process.once("disconnect", stop);
} catch (error) {
  if (!(error instanceof Fault)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
