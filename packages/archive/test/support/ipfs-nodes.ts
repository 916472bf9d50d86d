/** Real IPFS nodes on loopback for tests, or the reason why there are none. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ensureIpfsNode, type IpfsNode, type IpfsNodeOptions, startIpfsNode } from "@xinglin/engines";
import { Fault } from "@xinglin/primitives";

/** The node's program, built if need be, or why there is none. */
export async function findNode(): Promise<{ readonly path: string } | { readonly missing: string }> {
  try {
    return { path: await ensureIpfsNode() };
  } catch (cause) {
    if (cause instanceof Fault && cause.code === "go_missing") return { missing: `IPFS node is not built: ${cause.message}` };
    throw cause;
  }
}

/** Nodes in folders below one temporary folder, of one private network. */
export class IpfsNodes {
  readonly folder: string;
  readonly #program: string;
  readonly #nodes = new Map<string, IpfsNode>();

  static async open(program: string): Promise<IpfsNodes> {
    return new IpfsNodes(program, await mkdtemp(join(tmpdir(), "xinglin-ipfs-")));
  }

  private constructor(program: string, folder: string) {
    this.#program = program;
    this.folder = folder;
  }

  folderOf(name: string): string {
    return join(this.folder, name);
  }

  /** Starts a node in a folder of its own, or again in the one it had. */
  async start(name: string, options: Partial<IpfsNodeOptions> = {}): Promise<IpfsNode> {
    const node = await startIpfsNode({
      program: this.#program,
      folder: this.folderOf(name),
      swarmKeyFile: join(this.folder, "swarm.key"),
      ...options,
    });
    this.#nodes.set(name, node);
    return node;
  }

  /** Ends a node as a power cut would. */
  async kill(name: string): Promise<void> {
    const node = this.#nodes.get(name);
    this.#nodes.delete(name);
    node?.kill();
    await node?.ended;
  }

  /** Stops all of them and removes what they stored. */
  async end(): Promise<void> {
    await Promise.all([...this.#nodes.values()].map((node) => node.stop()));
    await rm(this.folder, { recursive: true, force: true });
  }
}
