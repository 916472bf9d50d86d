/**
 * The files of a light client that runs without a node: what it verified, whom it asks, and the fork that it may have found.
 * Source: requirement A9; docs/guides/check-without-a-node.md.
 */
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { writeFileDurably } from "@xinglin/custody";
import { Fault, type Infer, schema } from "@xinglin/primitives";
import type { LightStore } from "@xinglin/verifier";

const address = schema.text(256, /^https?:\/\/[^/?#\s]+$/);
const lightFile = schema.object({
  type: schema.oneOf("xinglin-light/1"),
  chainId: schema.text(50),
  api: address,
  witnesses: schema.list(address, 256),
});

/** Whom a light client asks, and about which chain. */
export type LightFile = Infer<typeof lightFile>;

/** The files in one folder. */
export class LightFiles {
  readonly forkPath: string;
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
    this.forkPath = join(folder, "fork.cbor");
  }

  /** Whom it asked the last time; undefined before the first. Throws `data_folder_unreadable`. */
  read(): LightFile | undefined {
    const path = join(this.#folder, "light.json");
    if (!existsSync(path)) return undefined;
    try {
      return lightFile.parse(JSON.parse(readFileSync(path, "utf8")));
    } catch (cause) {
      throw new Fault("data_folder_unreadable", { path: this.#folder }, { cause });
    }
  }

  write(content: Omit<LightFile, "type">): void {
    mkdirSync(this.#folder, { recursive: true });
    const bytes = Buffer.from(`${JSON.stringify({ type: "xinglin-light/1", ...content }, undefined, 2)}\n`);
    writeFileDurably(join(this.#folder, "light.json"), bytes);
  }

  /** Keeps the state; a crash leaves the old one or the new one. */
  get store(): LightStore {
    const path = join(this.#folder, "state.cbor");
    return {
      load: async () => (existsSync(path) ? new Uint8Array(readFileSync(path)) : undefined),
      save: async (bytes) => {
        mkdirSync(this.#folder, { recursive: true });
        writeFileDurably(path, bytes);
      },
    };
  }

  /** Writes the fork file, to be shown and handed in. */
  writeFork(bytes: Uint8Array): void {
    mkdirSync(this.#folder, { recursive: true });
    writeFileDurably(this.forkPath, bytes);
  }
}
