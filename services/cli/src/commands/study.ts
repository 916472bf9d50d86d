/** `xinglin study generate`: a DICOM study of any size from the real slices of `examples/`. Source: docs/guides/share-a-study.md. */
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { bytesText, progressBar } from "@xinglin/gateway";
import { generateStudy, instanceFiles } from "@xinglin/interop";
import { Fault } from "@xinglin/primitives";
import type { Command } from "../command.ts";

const SLICES = fileURLToPath(new URL("../../../../examples/ct/", import.meta.url));
const DEFAULT_SIZE = "500MB";
const UNITS: Readonly<Record<string, number>> = { kb: 1e3, mb: 1e6, gb: 1e9 };

export const generate: Command = {
  words: "study generate",
  options: { out: { type: "string" }, size: { type: "string" }, seed: { type: "string" }, from: { type: "string" } },
  async run(context) {
    const size = /^(\d{1,6})(kB|MB|GB)$/i.exec(context.text("size") ?? DEFAULT_SIZE);
    if (size === null) throw new Fault("option_wrong", { option: "--size", expected: DEFAULT_SIZE });
    const sizeBytes = Number(size[1]) * (UNITS[(size[2] as string).toLowerCase()] as number);
    const outputFolder = resolve(context.need("out"));
    const bar = progressBar(context.say.text("progress.generate"));
    const from = await instanceFiles(resolve(context.text("from") ?? join(SLICES)));
    const made = await generateStudy({
      from,
      outputFolder,
      sizeBytes,
      seed: context.number("seed", 1),
      onProgress: (progress) => bar.update(progress.writtenBytes, progress.totalBytes),
    });
    bar.end();
    context.say.plain("study.generated", { folder: outputFolder, instances: made.paths.length, size: bytesText(made.sizeBytes) });
  },
};
