/** Ports for the servers that a test or a measure starts. */
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";

/** Ports of this machine's loopback that nobody listens on just now. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, "127.0.0.1"));
  await Promise.all(servers.map((server) => server.listening || once(server, "listening")));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => new Promise<void>((resolve) => server.close(() => resolve()))));
  return ports;
}

/** One such port. */
export const freePort = async (): Promise<number> => (await freePorts(1))[0] as number;
