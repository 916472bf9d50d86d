export * from "./archive-report.ts";
export { type Api, createApi } from "./create-api.ts";
export { FAULT_CODES, sentenceOf, statusOf, titleOf } from "./error-catalogue.ts";
export { errorReferencePage } from "./error-reference.ts";
export { type Language, languageOf } from "./http/language.ts";
export {
  type ApiLimits,
  type ApiOptions,
  type CustodianDirectory,
  DEFAULT_LIMITS,
  type FhirVerdict,
  type LogLine,
  type NodeFacts,
} from "./options.ts";
export { ledgerSource, Projection } from "./projection.ts";
export { MAX_FHIR_BYTES } from "./routes/fhir.ts";
export { MAX_BATCH_TRANSACTIONS } from "./routes/transactions.ts";
export { dropEndedDescriptions } from "./search/file-descriptions.ts";
