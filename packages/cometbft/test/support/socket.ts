/** A running server for one test, on a Unix socket in a folder of its own, and as many clients as the test wants. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { AbciHandlers } from "../../src/abci/handlers.ts";
import { type AbciEvent, AbciServer, type AbciServerOptions } from "../../src/abci/server.ts";
import { AbciClient } from "./abci-client.ts";

/** What a test works with. */
export interface Running {
  readonly server: AbciServer;
  readonly events: AbciEvent[];
  client(): Promise<AbciClient>;
}

/** A folder under the system's temporary one, with a path short enough for a socket. */
export const socketFolder = (): string => mkdtempSync(join(tmpdir(), "xl-abci-"));

/** Runs `body` against a server, and leaves nothing behind whatever comes of it. */
export async function withServer(
  handlers: AbciHandlers,
  body: (running: Running) => Promise<void>,
  options: Partial<AbciServerOptions> = {},
): Promise<void> {
  const folder = socketFolder();
  const events: AbciEvent[] = [];
  const clients: AbciClient[] = [];
  const server = new AbciServer(handlers, {
    at: { path: join(folder, "abci.sock") },
    onEvent: (event) => events.push(event),
    ...options,
  });
  try {
    await server.listen();
    const client = async (): Promise<AbciClient> => {
      const connected = await AbciClient.connect(server.address);
      clients.push(connected);
      return connected;
    };
    await body({ server, events, client });
  } finally {
    for (const one of clients) await one.close();
    await server.close();
    rmSync(folder, { recursive: true, force: true });
  }
}
