/** What every part of the page needs, handed down once. */
import type { ApiClient } from "@xinglin/client";
import { createContext, useContext, useSyncExternalStore } from "react";
import type { ChainMoment, ChainWatch } from "../chain/watch.ts";
import type { Feed, Snapshot } from "../feed/feed.ts";
import type { MemberRow } from "../feed/rows.ts";
import type { Language, Text } from "../text/language.ts";
import type { Attention } from "../wallet/attention.ts";
import type { Wallet } from "../wallet/wallet.ts";

/** The page's sentences and how to change their language. */
export interface Speech {
  readonly text: Text;
  readonly setLanguage: (language: Language) => void;
}
export const SpeechContext = createContext<Speech | undefined>(undefined);

/** An enrolled patient's page. */
export interface Home {
  readonly client: ApiClient;
  readonly wallet: Wallet;
  readonly feed: Feed;
  readonly chain: ChainWatch;
  readonly attention: Attention;
  readonly members: readonly MemberRow[];
  /** Makes the page look at its wallet again. */
  readonly reload: () => void;
}
export const HomeContext = createContext<Home | undefined>(undefined);

const required = <T,>(value: T | undefined): T => {
  if (value === undefined) throw new Error("the page's context is missing");
  return value;
};
export const useSpeech = (): Speech => required(useContext(SpeechContext));
export const useText = (): Text => useSpeech().text;
export const useHome = (): Home => required(useContext(HomeContext));
export function useSnapshot(): Snapshot {
  const { feed } = useHome();
  return useSyncExternalStore(feed.subscribe, feed.snapshot);
}
/** What is known of the chain itself. */
export function useChain(): ChainMoment {
  const { chain } = useHome();
  return useSyncExternalStore(chain.subscribe, chain.snapshot);
}
