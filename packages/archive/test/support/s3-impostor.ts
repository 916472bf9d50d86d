/** Something that listens where an S3 server should, and answers what a test tells it. */
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { TestContext } from "node:test";
import type { S3Description } from "../../src/store/description.ts";
import { PACE } from "../../src/store/s3-client.ts";

/** A store that tries again at once. */
export const QUICK = { ...PACE, backoffMs: 1 };
/** One that gives up what hangs at once, too. */
export const IMPATIENT = { ...QUICK, answerMs: 200, minBytesPerMs: 1024 };

/** An answer that S3 gives when something is wrong. */
export const errorBody = (code: string, more = ""): string =>
  `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>no</Message>${more}</Error>`;

/** Listens until the test ends. Returns a store's description, and the requests that came: method and path. */
export async function impostor(
  t: Pick<TestContext, "after">,
  answer: (request: IncomingMessage, response: ServerResponse, count: number) => void,
): Promise<{ readonly description: S3Description; readonly requests: string[] }> {
  const requests: string[] = [];
  const server = createServer((request, response) => {
    request.resume();
    requests.push(`${request.method} ${request.url}`);
    answer(request, response, requests.length);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as { port: number };
  return { description: { kind: "s3", id: "one", member: "a", url: `http://127.0.0.1:${port}/bucket` }, requests };
}
