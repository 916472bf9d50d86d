/** With what an import seals: as the node's configuration says, unless the command says otherwise. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { openGateway, writeConsortiumFile } from "@xinglin/gateway";
import type { Context } from "../src/command.ts";
import { importingGateway } from "../src/commands/importing-gateway.ts";

test("the configuration's profile holds, the command's goes before it, and there are no others", () => {
  const data = mkdtempSync(join(tmpdir(), "xinglin-cli-"));
  try {
    const profileOf = (told?: string): string | undefined =>
      importingGateway({ text: () => told, gateway: () => openGateway(data, "en") } as unknown as Context).profile;
    const file = {
      type: "xinglin-consortium/1",
      chainId: "test-0",
      url: "http://127.0.0.1:1",
      threshold: 1,
      stores: [],
    } as const;
    writeConsortiumFile(data, { ...file, stores: [] });
    assert.deepEqual([profileOf(), profileOf("national")], [undefined, "national"]);
    writeConsortiumFile(data, { ...file, stores: [], profile: "national" });
    assert.deepEqual([profileOf(), profileOf("standard")], ["national", "standard"]);
    assert.throws(() => profileOf("sm4"), {
      code: "option_wrong",
      facts: { option: "--profile", expected: "standard|national" },
    });
  } finally {
    rmSync(data, { recursive: true, force: true });
  }
});
