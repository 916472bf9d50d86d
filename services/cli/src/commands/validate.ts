/** `xinglin validate fhir FILE | dicom FOLDER`: what an import would say, without importing. Offline. Source: requirement I1. */
import { resolve } from "node:path";
import { BundleRefused, bytesText, readBundle } from "@xinglin/gateway";
import { issueSentence, readDicomSeries } from "@xinglin/interop";
import { Fault } from "@xinglin/primitives";
import type { Command } from "../command.ts";

export const validate: Command = {
  words: "validate",
  options: {},
  positionals: ["dicom|fhir", "PATH"],
  async run(context) {
    const [kind, path] = context.positionals;
    if (path === undefined || (kind !== "dicom" && kind !== "fhir"))
      throw new Fault("option_missing", { option: "dicom FOLDER | fhir FILE" });
    if (kind === "dicom") {
      const { instances, series, sizeBytes } = await readDicomSeries(resolve(path));
      return context.say.plain("validate.dicom", {
        instances: instances.length,
        series: series.length,
        size: bytesText(sizeBytes),
      });
    }
    try {
      const { entries } = await readBundle(resolve(path));
      context.say.plain("validate.fhir", { resources: entries.length });
    } catch (error) {
      if (error instanceof BundleRefused) {
        if (context.json) context.print(error.rejection);
        else
          for (const issue of error.rejection.issues)
            context.say.plain("validate.issue", { element: issue.element, reason: issueSentence(issue, context.say.language) });
      }
      throw error;
    }
  },
};
