/**
 * DICOM person names: up to three groups (alphabetic, ideographic, phonetic) of up to five components each.
 * Source: DICOM PS3.5 6.2 (PN), 6.2.1.
 */
import { decodeText } from "./character-set.ts";

/** One group: `family^given^middle^prefix^suffix`. `text` is the group as written, without padding. */
export interface NameGroup {
  readonly text: string;
  readonly family: string;
  readonly given: string;
  readonly middle: string;
  readonly prefix: string;
  readonly suffix: string;
}
/** A decoded name. `isExact` is false if some byte had no meaning under the declared character set. */
export interface PersonName {
  /** All groups as written: `Wang^XiaoDong=王^小东`. */
  readonly text: string;
  readonly alphabetic: NameGroup;
  readonly ideographic: NameGroup;
  readonly phonetic: NameGroup;
  readonly isExact: boolean;
}

/** Decodes the first value of a PN element under the SpecificCharacterSet in force. */
export function decodePersonName(bytes: Uint8Array, characterSets: readonly string[]): PersonName {
  const { text: all, isExact } = decodeText(bytes, characterSets, true);
  const text = withoutPadding(all.split("\\")[0] ?? "").replace(/=+$/, ""); // trailing empty groups say nothing
  const [alphabetic, ideographic, phonetic] = text.split("=");
  return { text, alphabetic: group(alphabetic), ideographic: group(ideographic), phonetic: group(phonetic), isExact };
}

function group(text = ""): NameGroup {
  const [family = "", given = "", middle = "", prefix = "", suffix = ""] = text.split("^");
  return { text, family, given, middle, prefix, suffix };
}

/** Values are padded to even length with a space, or wrongly with NUL. */
export const withoutPadding = (text: string): string => text.replace(/[ \0]+$/, "");
