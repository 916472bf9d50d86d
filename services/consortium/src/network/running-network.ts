/**
 * The processes of a local network: a node for each member that has one, and a custodian's process for each that has none, over another's node.
 * Everything that was started is stopped again, whatever fails. Source: docs/guides/run-a-consortium.md.
 */
import { existsSync, mkdirSync, renameSync } from "node:fs";
import { dirname, join } from "node:path";
import { DirectoryStore } from "@xinglin/archive";
import { invariant, type MemberId } from "@xinglin/primitives";
import { startCustodianProcess } from "../custodian-processes.ts";
import type { NetworkFile, NetworkMember } from "./network-file.ts";
import { nodeConfigFile, nodeFolder, pageOf, storesOfMembers, writeNodeFile } from "./new-network.ts";
import { type NodeProcess, startNode } from "./node-process.ts";

export interface NetworkOptions {
  readonly data: string;
  readonly language: string;
  /** A line that a member's node said. */
  readonly onLine?: (member: MemberId, line: string) => void;
}

export class RunningNetwork {
  readonly #options: NetworkOptions;
  readonly #nodes = new Map<MemberId, NodeProcess>();
  readonly #custodians = new Map<MemberId, { stop(): Promise<void> }>();
  /** Aborts what is being started, when the network is closed. */
  readonly #closing = new AbortController();
  #file: NetworkFile;

  constructor(options: NetworkOptions, file: NetworkFile) {
    this.#options = options;
    this.#file = file;
  }

  get file(): NetworkFile {
    return this.#file;
  }
  /** Whether everything is being stopped. */
  get isClosing(): boolean {
    return this.#closing.signal.aborted;
  }
  /** Members with a node, in order. */
  get withNode(): readonly NetworkMember[] {
    return this.#file.members.filter(({ hasNode }) => hasNode);
  }
  get nodes(): ReadonlyMap<MemberId, NodeProcess> {
    return this.#nodes;
  }

  /** The address of a member's node; of the first member's for one that has none. */
  urlOf(member: string): string {
    const own = this.withNode.find(({ id }) => id === member) ?? this.withNode[0];
    invariant(own !== undefined, "a network has a node");
    return pageOf(own);
  }

  /** Starts all nodes at once, since the first blocks need two thirds of them, and the custodians of the others. */
  async start(): Promise<void> {
    try {
      for (const member of this.withNode) writeNodeFile(this.#options.data, this.#file, member);
      const others = this.#file.members.filter(({ hasNode }) => !hasNode);
      // All in the network's own folder, so no disk of theirs can be away; a node makes none by itself.
      for (const store of storesOfMembers(this.#options.data, this.#file.members)) await new DirectoryStore(store).create();
      const started = await Promise.allSettled([
        ...this.withNode.map((member) => this.#startNode(member)),
        ...others.map((member) => this.#startCustodian(member)),
      ]);
      const failed = started.find(({ status }) => status === "rejected");
      if (failed?.status === "rejected") throw failed.reason;
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  /** Starts the node of a member that had none; its custodian goes over to it. `file` holds it as one that has. */
  async add(member: NetworkMember, file: NetworkFile): Promise<void> {
    const { data } = this.#options;
    await this.#custodians.get(member.id)?.stop();
    this.#custodians.delete(member.id);
    const shares = join(nodeFolder(data, member), "custodians", member.id);
    const before = join(data, "custodians", member.id);
    if (existsSync(before) && !existsSync(shares)) {
      mkdirSync(dirname(shares), { recursive: true, mode: 0o700 });
      renameSync(before, shares);
    }
    this.#file = file;
    writeNodeFile(data, file, member);
    await this.#startNode(member);
  }

  /** Stops the node of a member for good; its custodian goes on over another's node. `file` holds it as one without. */
  async remove(member: NetworkMember, file: NetworkFile): Promise<void> {
    const { data } = this.#options;
    await this.#stopNode(member.id);
    this.#file = file;
    const shares = join(nodeFolder(data, member), "custodians", member.id);
    if (existsSync(shares)) {
      mkdirSync(join(data, "custodians"), { recursive: true, mode: 0o700 });
      renameSync(shares, join(data, "custodians", member.id));
    }
    await this.#startCustodian(member);
  }

  /** Stops a member's node, does `work` on what it left, and starts it again. The others go on. */
  async whileStopped(id: MemberId, work: (folder: string) => Promise<void>): Promise<void> {
    const member = this.withNode.find((one) => one.id === id);
    invariant(member !== undefined, "only a node that runs is stopped");
    await this.#stopNode(id);
    await work(nodeFolder(this.#options.data, member));
    await this.#startNode(member);
  }

  /** Stops everything; nothing stays behind. */
  async close(): Promise<void> {
    this.#closing.abort();
    await Promise.all([...this.#custodians.values()].map((custodian) => custodian.stop()));
    await Promise.all([...this.#nodes.values()].map((node) => node.stop()));
    this.#custodians.clear();
    this.#nodes.clear();
  }

  async #startNode(member: NetworkMember): Promise<void> {
    const { data, language, onLine } = this.#options;
    const { id } = member;
    const config = nodeConfigFile(data, member);
    const told = onLine === undefined ? {} : { onLine: (line: string) => onLine(id, line) };
    const node = await startNode({ member: id, config, language, ...told }, this.#closing.signal);
    this.#nodes.set(id, node);
  }

  async #stopNode(id: MemberId): Promise<void> {
    const node = this.#nodes.get(id);
    this.#nodes.delete(id);
    await node?.stop();
  }

  async #startCustodian({ id, ports }: NetworkMember): Promise<void> {
    this.#custodians.set(id, await startCustodianProcess(this.#options.data, id, this.urlOf(id), ports.custodian));
  }
}
