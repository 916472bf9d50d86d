/** Chains as another process can replay them: the genesis, every block as the application was given it, and the app hash that came of it. */
import type { BlockInput } from "@xinglin/ledger";
import type { Bytes } from "@xinglin/primitives";

/** One chain that was made in the run of a test. */
export interface Recording {
  readonly name: string;
  readonly genesis: Bytes;
  readonly blocks: readonly { readonly input: BlockInput; readonly appHash: Bytes }[];
}

/** JSON with byte strings in base64. */
export const recordingsToText = (recordings: readonly Recording[]): string =>
  JSON.stringify(recordings, (_, value: unknown) =>
    value instanceof Uint8Array
      ? { base64: Buffer.from(value.buffer, value.byteOffset, value.length).toString("base64") }
      : value,
  );

/** What `recordingsToText` wrote. */
export const recordingsFromText = (text: string): readonly Recording[] =>
  JSON.parse(text, (_, value: unknown) =>
    typeof value === "object" && value !== null && "base64" in value
      ? new Uint8Array(Buffer.from(String(value.base64), "base64"))
      : value,
  ) as readonly Recording[];
