/** Whether this process may listen where it was told to, asked before anything is made. Source: CONTRIBUTING "Fail closed". */
import { createServer } from "node:net";
import { Fault } from "@xinglin/primitives";

const LOOPBACK = new Set(["localhost", "127.0.0.1", "::1"]);

/** Where a server is to listen. */
export interface ListeningAddress {
  readonly host: string;
  readonly port: number;
}

/** Host and port of an address in a configuration file, `host:port`. */
export function listeningAddress(address: string): ListeningAddress {
  const at = address.lastIndexOf(":");
  const port = Number(address.slice(at + 1));
  if (at < 1 || !Number.isInteger(port) || port > 65_535) throw new Fault("malformed", { element: "address" });
  return { host: address.slice(0, at).replace(/^\[(.*)\]$/, "$1"), port };
}

/** Throws `port_in_use`, `port_forbidden` or `address_unavailable`. */
export async function requirePort({ host, port }: ListeningAddress): Promise<void> {
  const probe = createServer();
  await new Promise<void>((resolve, reject) => {
    probe.once("error", (cause: NodeJS.ErrnoException) => reject(addressFault(cause, host, port)));
    probe.listen(port, host, () => probe.close(() => resolve()));
  });
}

/** For a web server: as `requirePort`, and `tls_required` for another address than this machine's without a certificate. */
export async function requireWebAddress(address: ListeningAddress, hasCertificate: boolean): Promise<void> {
  if (!LOOPBACK.has(address.host) && !hasCertificate) throw new Fault("tls_required", { host: address.host });
  await requirePort(address);
}

function addressFault(cause: NodeJS.ErrnoException, host: string, port: number): Fault {
  if (cause.code === "EADDRINUSE") return new Fault("port_in_use", { port }, { cause });
  if (cause.code === "EACCES") return new Fault("port_forbidden", { port }, { cause });
  return new Fault("address_unavailable", { host }, { cause });
}
