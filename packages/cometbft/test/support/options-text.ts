/** A node's options as text, for a process of its own. */
import type { CometbftLedgerOptions } from "../../src/open.ts";

/** JSON with byte strings in base64. */
export const optionsToText = (options: CometbftLedgerOptions): string =>
  JSON.stringify(options, (_, value: unknown) =>
    value instanceof Uint8Array ? { base64: Buffer.from(value).toString("base64") } : value,
  );

/** What `optionsToText` wrote. */
export const optionsFromText = (text: string): CometbftLedgerOptions =>
  JSON.parse(text, (_, value: unknown) =>
    typeof value === "object" && value !== null && "base64" in value
      ? new Uint8Array(Buffer.from(String(value.base64), "base64"))
      : value,
  ) as CometbftLedgerOptions;
