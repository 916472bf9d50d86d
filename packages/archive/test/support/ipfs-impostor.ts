/** Something that stands where an IPFS node should: a relay that spoils answers, or a server of another kind. */
import { once } from "node:events";
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** Answers a call itself and returns true, or leaves it to the node behind. */
export type Meddling = (call: IncomingMessage, answer: ServerResponse, name: string) => boolean;

/** Listens on a loopback port; what it does not meddle with goes on to `target`, if there is one. */
export class Impostor {
  meddling: Meddling = () => false;
  /** Names of the calls that came. */
  readonly calls: string[] = [];
  readonly #server: Server;

  static async start(target?: string): Promise<Impostor> {
    const impostor = new Impostor(target);
    impostor.#server.listen(0, "127.0.0.1");
    await once(impostor.#server, "listening");
    return impostor;
  }

  private constructor(target: string | undefined) {
    this.#server = createServer((call, answer) => {
      const name = new URL(call.url ?? "/", "http://localhost").pathname.slice("/api/v0/".length);
      this.calls.push(name);
      if (this.meddling(call, answer, name)) return;
      if (target === undefined) answer.writeHead(404, { "content-type": "text/html" }).end("<html>not here</html>");
      else relay(call, answer, target);
    });
  }

  get api(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async end(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }
}

function relay(call: IncomingMessage, answer: ServerResponse, target: string): void {
  const { hostname, port } = new URL(target);
  const headers = { ...call.headers, host: `${hostname}:${port}` };
  const onward = request({ hostname, port, path: call.url ?? "/", method: "POST", headers }, (reply) => {
    answer.writeHead(reply.statusCode ?? 500, reply.headers);
    reply.pipe(answer);
  });
  onward.on("error", () => answer.destroy());
  call.pipe(onward);
}
