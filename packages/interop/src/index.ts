export { classKey, isStricter } from "./classes.ts";
export { classify, classifyModality, classifyResource } from "./classify/classify.ts";
export { monthOf } from "./describe/coded-month.ts";
export { describeResources } from "./describe/describe-resources.ts";
export { describeStudy } from "./describe/describe-study.ts";
export type { InstanceValues } from "./describe/instance-values.ts";
export { parseSearchCode } from "./describe/public-code.ts";
export { type DecodedText, decodeText } from "./dicom/character-set.ts";
export { decodePersonName, type NameGroup, type PersonName } from "./dicom/person-name.ts";
export { DicomInstance, type PatientTexts, readDicomFile } from "./dicom/read-file.ts";
export { type DicomSeries, type DicomStudy, instanceFiles, readDicomSeries } from "./dicom/read-series.ts";
export { type InstanceBytes, instanceFileName, writeDicomFolder } from "./dicom/write-folder.ts";
export { type AllergyAmendment, type AllergyCode, type AmendedBundle, amendAllergy } from "./fhir/amend-allergy.ts";
export type { BundleEntry } from "./fhir/check-bundle.ts";
export { type ClassGroup, exportBundle, exportSearchset, resourceBytes, splitByClass } from "./fhir/export-bundle.ts";
export { issueSentence } from "./fhir/issue-sentence.ts";
export { FHIR_ISSUE_CODES, type FhirIssue, type FhirIssueCode } from "./fhir/issues.ts";
export {
  type AcceptedBundle,
  closeValidator,
  type FhirRejection,
  FhirValidator,
  type FhirValidatorOptions,
  MAX_JSON_BYTES,
  rejectionFault,
  validateBundle,
  validateResource,
} from "./fhir/validate.ts";
export { type GeneratedStudy, generateStudy, type StudyProgress, type StudyRequest } from "./generate-study.ts";
