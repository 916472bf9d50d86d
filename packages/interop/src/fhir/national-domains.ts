/**
 * Where codes that hospitals in China often put into a FHIR element come from, and what FHIR wants instead. An error may name the
 * domain of a wrong code, and prints the whole table of that domain, never the code that it met.
 * Sources: GB/T 2261.1—2003 个人基本信息分类与代码 第1部分：人的性别代码; HL7 v2.9 tables 0001, 0085, 0123, 0190, 0200, 0202;
 * target codes: FHIR R4 value sets of the same names.
 */

/** A foreign domain of values: code → the FHIR code that says the same. */
export interface NationalDomain {
  readonly name: string;
  readonly toFhir: Readonly<Record<string, string>>;
  /** Words of the same domain, as screens show them; used to recognise a value, never printed. */
  readonly words?: readonly string[];
}

const GB_SEX: NationalDomain = {
  name: "GB/T 2261.1-2003",
  toFhir: { "0": "unknown", "1": "male", "2": "female", "9": "unknown" },
  words: ["男", "女", "男性", "女性", "未知", "未知的性别", "未说明", "未说明的性别"],
};
const V2_SEX: NationalDomain = {
  name: "HL7 v2 table 0001",
  toFhir: { M: "male", F: "female", O: "other", A: "other", N: "other", U: "unknown" },
};
const V2_RESULT_STATUS: NationalDomain = {
  name: "HL7 v2 table 0085",
  toFhir: {
    F: "final",
    P: "preliminary",
    R: "preliminary",
    S: "preliminary",
    I: "registered",
    C: "corrected",
    X: "cancelled",
    W: "entered-in-error",
  },
  words: ["已审核", "初步", "已取消", "已更正", "最终", "最终报告"],
};
const V2_REPORT_STATUS: NationalDomain = {
  name: "HL7 v2 table 0123",
  toFhir: {
    F: "final",
    P: "preliminary",
    R: "preliminary",
    A: "partial",
    C: "corrected",
    X: "cancelled",
    O: "registered",
    I: "registered",
    S: "registered",
  },
  words: ["已审核", "初步", "已取消", "已更正", "最终", "最终报告"],
};
const CRITICALITY_WORDS: NationalDomain = {
  name: "zh-CN words",
  toFhir: { 低: "low", 高: "high", 无法评估: "unable-to-assess" },
  words: ["低危", "高危", "严重", "轻度"],
};
const V2_NAME_USE: NationalDomain = {
  name: "HL7 v2 table 0200",
  toFhir: { L: "official", D: "usual", M: "maiden", N: "nickname", S: "anonymous" },
};
const V2_ADDRESS_USE: NationalDomain = {
  name: "HL7 v2 table 0190",
  toFhir: { H: "home", B: "work", O: "work", C: "temp", BA: "old" },
};
const V2_TELECOM: NationalDomain = {
  name: "HL7 v2 table 0202",
  toFhir: { PH: "phone", CP: "phone", FX: "fax", BP: "pager", Internet: "email", "X.400": "email" },
  words: ["电话", "手机", "传真", "邮箱"],
};

/** By FHIR value set, most likely first. */
const DOMAINS: Readonly<Record<string, readonly NationalDomain[]>> = {
  "http://hl7.org/fhir/ValueSet/administrative-gender": [GB_SEX, V2_SEX],
  "http://hl7.org/fhir/ValueSet/observation-status": [V2_RESULT_STATUS],
  "http://hl7.org/fhir/ValueSet/diagnostic-report-status": [V2_REPORT_STATUS],
  "http://hl7.org/fhir/ValueSet/allergy-intolerance-criticality": [CRITICALITY_WORDS],
  "http://hl7.org/fhir/ValueSet/name-use": [V2_NAME_USE],
  "http://hl7.org/fhir/ValueSet/address-use": [V2_ADDRESS_USE],
  "http://hl7.org/fhir/ValueSet/contact-point-system": [V2_TELECOM],
};

/** The domain that `value` belongs to, among those known to be confused with `valueSet`. */
export const domainOf = (valueSet: string, value: string): NationalDomain | undefined =>
  DOMAINS[valueSet]?.find((domain) => Object.hasOwn(domain.toFhir, value) || domain.words?.includes(value));

/** `0→unknown, 1→male, …`: the whole domain, so that it says nothing about one patient. */
export const tableOf = (domain: NationalDomain): string =>
  Object.entries(domain.toFhir)
    .map(([code, fhir]) => `${code}→${fhir}`)
    .join(", ");
