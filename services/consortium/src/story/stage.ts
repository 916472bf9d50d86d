/**
 * What every scene of the story works with, and what it remembers for the next start: ids only, no names.
 * Source: docs/guides/share-a-study.md.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { ApiClient, Identity } from "@xinglin/client";
import { writeFileDurably } from "@xinglin/custody";
import { type Gateway, type KeyOfFile, readKeyFile, type Say } from "@xinglin/gateway";
import { administrationKey } from "@xinglin/member";
import type { ActorId, MemberId, RecordId } from "@xinglin/primitives";

/** What the story made, in `story.json` of the data folder. */
export interface StoryMemory {
  readonly finished: boolean;
  readonly patientAtA?: ActorId;
  readonly patientAtB?: ActorId;
  readonly study?: RecordId;
  readonly allergy?: RecordId;
}

export interface Stage {
  readonly say: Say;
  readonly data: string;
  readonly client: ApiClient;
  readonly gateway: Gateway;
  /** Folders of the stores, so that a scene can really take some away. */
  readonly storeFolders: readonly string[];
  /** The key file `{member}/{name}` of the data folder. */
  readonly key: (alias: string) => KeyOfFile;
  /** A member's name in the language of the terminal. */
  readonly memberName: (member: string) => string;
  /** Where the patient page is. */
  readonly page: string;
  /** Where hospital A keeps its own originals of FHIR records. */
  readonly originals: string;
}

export const keyPath = (data: string, alias: string): string => {
  const [member, name] = alias.split("/");
  return join(data, "members", member ?? "", "staff", `${name}.json`);
};
export const keyReader =
  (data: string) =>
  (alias: string): KeyOfFile =>
    readKeyFile(
      alias.endsWith("/administration")
        ? administrationKey(data, alias.slice(0, -"/administration".length) as MemberId)
        : keyPath(data, alias),
    );

const memoryFile = (data: string): string => join(data, "story.json");

export const readMemory = (data: string): StoryMemory =>
  existsSync(memoryFile(data)) ? (JSON.parse(readFileSync(memoryFile(data), "utf8")) as StoryMemory) : { finished: false };

export const writeMemory = (data: string, memory: StoryMemory): void =>
  writeFileDurably(memoryFile(data), Buffer.from(`${JSON.stringify(memory, undefined, 2)}\n`));

/** The story's patient: two pseudonyms, each with its own key, as the wallet on a phone would hold them. */
export interface StoryPatient {
  readonly atA: Identity;
  readonly atB: Identity;
}
