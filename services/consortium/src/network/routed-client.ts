/**
 * A client that speaks to the node of whichever member acts, as that member's own programs do. Before it goes over from one node to another
 * it waits until the other has what the first has shown.
 * Source: design.md, "Time" (a node may be behind another by what is on the way); requirement A1.
 */
import { setTimeout } from "node:timers/promises";
import { ApiClient, type Identity } from "@xinglin/client";
import type { Operation } from "@xinglin/contracts";
import { type Bytes, Fault } from "@xinglin/primitives";

const ASK_MS = 50;
const WAIT_MS = 30_000;

interface NodeStatus {
  readonly height: number;
  readonly provableHeight: number;
  readonly entries: number;
  readonly projected: number;
}
const statusOf = async (client: ApiClient): Promise<NodeStatus> => (await client.getJson("/v1/status")) as NodeStatus;

export class RoutedClient extends ApiClient {
  readonly #nodeOf: (member: string) => ApiClient;
  #current: ApiClient;

  /** `nodeOf` gives the client of a member's node, or of another's for a member without one; the first is that of `member`. */
  constructor(nodeOf: (member: string) => ApiClient, member: string) {
    super({ url: nodeOf(member).url });
    this.#nodeOf = nodeOf;
    this.#current = nodeOf(member);
  }

  override genesis(): ReturnType<ApiClient["genesis"]> {
    return this.#current.genesis();
  }
  override tip(): ReturnType<ApiClient["tip"]> {
    return this.#current.tip();
  }
  override async submit(...args: [Identity, readonly Operation[], object?]): ReturnType<ApiClient["submit"]> {
    return (await this.#of(args[0])).submit(...args);
  }
  override submitBytes(...args: Parameters<ApiClient["submitBytes"]>): ReturnType<ApiClient["submitBytes"]> {
    return this.#current.submitBytes(...args);
  }
  override async prove(...args: Parameters<ApiClient["prove"]>): ReturnType<ApiClient["prove"]> {
    return (await this.#of(args[0])).prove(...args);
  }
  override async proveAll(...args: Parameters<ApiClient["proveAll"]>): ReturnType<ApiClient["proveAll"]> {
    return (await this.#of(args[0])).proveAll(...args);
  }
  override async getJson(path: string, identity?: Identity): Promise<unknown> {
    return (await this.#of(identity)).getJson(path, identity);
  }
  override async getBytes(path: string, identity?: Identity): Promise<Bytes> {
    return (await this.#of(identity)).getBytes(path, identity);
  }
  override async postBytes(path: string, body: Bytes, identity?: Identity): Promise<Bytes> {
    return (await this.#of(identity)).postBytes(path, body, identity);
  }
  override async postJson(path: string, identity: Identity): Promise<unknown> {
    return (await this.#of(identity)).postJson(path, identity);
  }
  override async stream(...args: Parameters<ApiClient["stream"]>): ReturnType<ApiClient["stream"]> {
    return (await this.#of(args[1])).stream(...args);
  }

  async #of(identity: Identity | undefined): Promise<ApiClient> {
    const wanted = identity === undefined ? this.#current : this.#nodeOf(identity.member);
    if (wanted === this.#current) return wanted;
    const shown = await statusOf(this.#current);
    await caughtUp(wanted, shown);
    this.#current = wanted;
    return wanted;
  }
}

/** Resolves when a node has the blocks and entries of `shown`, and can prove what could be proved there. Throws `node_behind` after a while. */
async function caughtUp(client: ApiClient, shown: NodeStatus): Promise<void> {
  const deadline = performance.now() + WAIT_MS;
  for (;;) {
    const now = await statusOf(client);
    if (now.provableHeight >= shown.provableHeight && now.height >= shown.height && now.projected >= shown.entries) return;
    if (performance.now() > deadline)
      throw new Fault("node_behind", { height: now.height, wanted: shown.height }, { retry: true });
    await setTimeout(ASK_MS);
  }
}
