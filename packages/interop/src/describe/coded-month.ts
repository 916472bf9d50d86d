/** Dates as the one thing that is kept of them: year and month. Source: DICOM PS3.5 DA; FHIR R4 date, dateTime, instant. */

const MONTH = /^(19\d\d|20\d\d|21\d\d)-?(0[1-9]|1[0-2])/;

/** `yyyymm` of a DICOM or FHIR date; undefined without a month, or for what is no date. */
export function monthOf(date: unknown): number | undefined {
  const [, year, month] = MONTH.exec(typeof date === "string" ? date : "") ?? [];
  return year === undefined ? undefined : Number(year) * 100 + Number(month);
}
