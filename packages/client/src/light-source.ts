/**
 * A member's API as a source of light blocks: asks for what is not known yet, and counts the bytes.
 * Source: requirement A9 (1 MB a day); `@xinglin/verifier` (LightBlockSource).
 */
import { type Bytes, Fault, toHex } from "@xinglin/primitives";
import { decodeWithKnownValidators, type LightBlock, type LightBlockSource } from "@xinglin/verifier";
import type { ApiClient } from "./api-client.ts";

/** What a request and the head of its answer cost beside the body, over HTTP/1.1 with TLS records; a test measures it. */
export const EXCHANGE_BYTES = 1_500;
/** A node that does not answer within this is not reached. */
const ANSWER_MS = 10_000;
/** Sets of validators that are remembered. */
const MAX_SETS = 8;

/** Light blocks from one API. */
export class ApiLightSource implements LightBlockSource {
  readonly name: string;
  readonly #client: Pick<ApiClient, "url" | "getBytes">;
  readonly #sets = new Map<string, LightBlock["validators"]>();
  #newestSet = "";
  #bytes = 0;

  constructor(client: Pick<ApiClient, "url" | "getBytes">) {
    this.name = client.url;
    this.#client = client;
  }

  /** Bytes that it cost so far. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Tells it validators that are known, so that they are not asked for. */
  learn({ header, validators }: LightBlock): void {
    const hash = toHex(header.validatorsHash);
    this.#sets.delete(hash);
    this.#sets.set(hash, validators);
    this.#newestSet = hash;
    for (const oldest of [...this.#sets.keys()].slice(0, Math.max(0, this.#sets.size - MAX_SETS))) this.#sets.delete(oldest);
  }

  async lightBlock(height: number | "newest"): Promise<LightBlock> {
    return this.#decode(await this.#get(height, {}));
  }

  async differing(height: number, hash: Bytes): Promise<LightBlock | undefined> {
    const answer = await this.#get(height, { header: toHex(hash) });
    return answer.length === 0 ? undefined : this.#decode(answer);
  }

  #decode(bytes: Bytes): LightBlock {
    const block = decodeWithKnownValidators(bytes, this.#sets.get(this.#newestSet));
    this.learn(block);
    return block;
  }

  async #get(height: number | "newest", query: Readonly<Record<string, string>>): Promise<Bytes> {
    const known = this.#newestSet === "" ? query : { ...query, validators: this.#newestSet };
    const words = new URLSearchParams(known).toString();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Fault("api_unreachable", { url: this.name }, { retry: true })), ANSWER_MS);
    });
    try {
      this.#bytes += EXCHANGE_BYTES;
      const answer = this.#client.getBytes(`/v1/light-blocks/${height}${words === "" ? "" : `?${words}`}`);
      const bytes = await Promise.race([answer, late]);
      this.#bytes += bytes.length;
      return bytes;
    } finally {
      clearTimeout(timer);
    }
  }
}
