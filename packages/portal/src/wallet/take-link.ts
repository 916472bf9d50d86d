/** Takes the one-time link out of the address bar, where it would stay in the history and be seen over a shoulder. Source: design.md, "Identity". */
import { decodeEnrolmentLink, type EnrolmentLink } from "@xinglin/client";

/** The link that the page was opened with; `broken` if it is not whole. */
export type TakenLink = EnrolmentLink | "broken" | undefined;

/** Reads the link and removes it from the address at once. */
export function takeLink(): TakenLink {
  const { hash, pathname, search } = location;
  if (!hash.startsWith("#enrol=")) return undefined;
  history.replaceState(null, "", pathname + search);
  try {
    return decodeEnrolmentLink(hash);
  } catch {
    return "broken";
  }
}
