/** Whether CometBFT will be able to listen, found out before it is started. Source: the "Bad input gets". */
import { once } from "node:events";
import { createServer } from "node:net";
import { Fault } from "@xinglin/primitives";

/** Host and port in `host:port`; an IPv6 host stands in brackets. Throws `Fault("malformed")`. */
export function hostAndPort(address: string): { readonly host: string; readonly port: number } {
  const match = /^(.+):(\d{1,5})$/.exec(address);
  const port = Number(match?.[2]);
  if (match === null || port > 65_535) throw new Fault("malformed", { element: "address" });
  return { host: match[1]!.replace(/^\[(.*)\]$/, "$1"), port };
}

/** Rejects with `Fault`: `port_in_use`, `port_forbidden`, `address_unavailable`. */
export async function checkPortFree(address: string): Promise<void> {
  const { host, port } = hostAndPort(address);
  const server = createServer();
  try {
    server.listen({ host, port, exclusive: true });
    await once(server, "listening");
  } catch (error) {
    const { code } = error as { code?: string };
    if (code === "EACCES") throw new Fault("port_forbidden", { port });
    if (code === "EADDRNOTAVAIL" || code === "ENOTFOUND") throw new Fault("address_unavailable", { host });
    throw new Fault("port_in_use", { port }, { cause: error });
  } finally {
    await new Promise<void>((resolve) => server.close(() => resolve()));
  }
}
