/**
 * Codes of public code systems, told from what only looks like one: the form of each is checked, and where a system has check digits these are, so that a
 * number of a person or a visit in a coding's place is not kept.
 * Source: LOINC Users' Guide, "check digit" (modulus 10); SNOMED CT Technical Implementation Guide, "SCTID" (Verhoeff); ICD-10, GB/T 14396; WHO ATC.
 */
import type { CodeSystem, SearchCode } from "@xinglin/contracts";
import { ATC, ICD10, LOINC, SNOMED } from "../classify/table.ts";

interface KnownSystem {
  readonly name: CodeSystem;
  readonly uri: RegExp;
  isCode(code: string): boolean;
}

/** The dihedral group D5 and its permutation. */
const VERHOEFF_PRODUCT = [
  "0123456789",
  "1234067895",
  "2340178956",
  "3401289567",
  "4012395678",
  "5987604321",
  "6598710432",
  "7659821043",
  "8765932104",
  "9876543210",
] as const;
const VERHOEFF_PLACE = [
  "0123456789",
  "1576283094",
  "5803796142",
  "8916043527",
  "9453126870",
  "4286573901",
  "2793806415",
  "7046913258",
];

const at = (row: string | undefined, index: number): number => Number(row?.[index]);

function hasVerhoeffDigit(digits: string): boolean {
  let check = 0;
  [...digits].reverse().forEach((digit, i) => {
    check = at(VERHOEFF_PRODUCT[check], at(VERHOEFF_PLACE[i % VERHOEFF_PLACE.length], Number(digit)));
  });
  return check === 0;
}

/** Every second digit from the right counts double, and its digits are added up. */
function isLoinc(code: string): boolean {
  const [, body, check] = /^(\d{1,7})-(\d)$/.exec(code) ?? [];
  if (body === undefined) return false;
  const sum = [...body].reverse().reduce((total, digit, i) => {
    const value = Number(digit) * (i % 2 === 0 ? 2 : 1);
    return total + (value > 9 ? value - 9 : value);
  }, 0);
  return (10 - (sum % 10)) % 10 === Number(check);
}

/** A concept id: its partition is 00, or 10 in an extension. */
const isSnomed = (code: string): boolean => /^[1-9]\d{2,14}[01]0\d$/.test(code) && hasVerhoeffDigit(code);

const SYSTEMS: readonly KnownSystem[] = [
  { name: "LOINC", uri: LOINC, isCode: isLoinc },
  { name: "SNOMED", uri: SNOMED, isCode: isSnomed },
  { name: "ICD-10", uri: ICD10, isCode: (code) => /^[A-Z]\d{2}(\.[0-9x]{1,3}(x?\d{3})?)?$/.test(code) },
  { name: "ATC", uri: ATC, isCode: (code) => /^[A-Z](\d{2}([A-Z]([A-Z](\d{2})?)?)?)?$/.test(code) },
];

/** The code as a search knows it; undefined for a system that is not public, or a code that is not of its system's form. */
export function publicCode(system: unknown, code: unknown): SearchCode | undefined {
  if (typeof system !== "string" || typeof code !== "string") return undefined;
  const known = SYSTEMS.find(({ uri }) => uri.test(system));
  return known?.isCode(code) === true ? { system: known.name, code } : undefined;
}

/** What a person writes for a code: `LOINC|2345-7`, or the system's URI before the bar. Undefined if it is none that is kept. */
export function parseSearchCode(text: string): SearchCode | undefined {
  const bar = text.lastIndexOf("|");
  const [system, code] = [text.slice(0, bar), text.slice(bar + 1)];
  const known = SYSTEMS.find(({ name, uri }) => name === system.toUpperCase() || uri.test(system));
  return bar > 0 && known?.isCode(code) === true ? { system: known.name, code } : undefined;
}
