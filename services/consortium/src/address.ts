/** Whether this process may listen where it was told to, asked before anything is made. Source: CONTRIBUTING "Fail closed". */
import { createServer } from "node:net";
import { Fault } from "@xinglin/primitives";
import type { Options } from "./options.ts";

const LOOPBACK = new Set(["localhost", "127.0.0.1", "::1"]);

/** Throws `tls_required`, `port_in_use`, `port_forbidden` or `address_unavailable`. */
export async function requireAddress({ host, port, tls }: Pick<Options, "host" | "port" | "tls">): Promise<void> {
  if (!LOOPBACK.has(host) && tls === undefined) throw new Fault("tls_required", { host });
  const probe = createServer();
  await new Promise<void>((resolve, reject) => {
    probe.once("error", (cause: NodeJS.ErrnoException) => reject(addressFault(cause, host, port)));
    probe.listen(port, host, () => probe.close(() => resolve()));
  });
}

function addressFault(cause: NodeJS.ErrnoException, host: string, port: number): Fault {
  if (cause.code === "EADDRINUSE") return new Fault("port_in_use", { port }, { cause });
  if (cause.code === "EACCES") return new Fault("port_forbidden", { port }, { cause });
  return new Fault("address_unavailable", { host }, { cause });
}
