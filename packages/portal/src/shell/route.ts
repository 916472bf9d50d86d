/** Where in the page the reader is; kept in the fragment, so that back and forward work and nothing is sent to the server. */
import { useSyncExternalStore } from "react";

export const TABS = ["accesses", "consents", "phone", "settings"] as const;
export type Tab = (typeof TABS)[number];

/** A part of the page, and for consents the one to look at: `{patient}/{number}`. */
export interface Route {
  readonly tab: Tab;
  readonly item: string | undefined;
}

/** `#/consents/{patient}/{number}`; anything else is the list of accesses. */
export function parseRoute(fragment: string): Route {
  const [, tab = "", item] = /^#\/([a-z]+)(?:\/([0-9a-f]{32}\/[0-9]{1,5}))?$/.exec(fragment) ?? [];
  const known = TABS.find((one) => one === tab);
  return known === undefined ? { tab: "accesses", item: undefined } : { tab: known, item };
}

export const hrefOf = (tab: Tab, item?: string): string => `#/${tab}${item === undefined ? "" : `/${item}`}`;

const subscribe = (listener: () => void): (() => void) => {
  addEventListener("hashchange", listener);
  return () => removeEventListener("hashchange", listener);
};

export const useRoute = (): Route => parseRoute(useSyncExternalStore(subscribe, () => location.hash));
