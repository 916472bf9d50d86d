/** What a node's configuration says of looking after the archive, put to work. Source: docs/internals/archive.md, "The archive looks after itself". */
import { join } from "node:path";
import { getMember } from "@xinglin/contracts";
import { auditFolder, type KeyOfFile, readKeyFile } from "@xinglin/gateway";
import type { ReadModel } from "@xinglin/index";
import type { Ledger } from "@xinglin/ledger";
import { Fault } from "@xinglin/primitives";
import type { NodeConfig } from "../config/node-config.ts";
import { probingKey } from "../probing/probe-peers.ts";
import { chainArchive } from "./chain-archive.ts";
import { type ArchiveNotice, Keeper } from "./keeper.ts";
import { Pulse } from "./pulse.ts";
import { Recorder } from "./recorder.ts";
import { RoundJournal } from "./round-journal.ts";
import { keepingSettings } from "./settings.ts";
import { shiftOf, turnOf } from "./whose-turn.ts";

/** Starts it, unless the configuration says no. Throws as `readKeyFile`, and `key_file_unreadable` for the key of another member. */
export function keepArchive(
  config: NodeConfig,
  { ledger, index }: { readonly ledger: Ledger; readonly index: ReadModel },
  onNotice?: (notice: ArchiveNotice) => void,
): Keeper | undefined {
  const settings = keepingSettings(config);
  if (settings === undefined) return undefined;
  const { data, member, stores } = config;
  const by = keepingKey(config);
  const folder = join(data, "keeping");
  const journal = new RoundJournal(folder);
  const pulse = new Pulse(folder);
  const view = chainArchive({ ledger, index }, by, stores);
  return new Keeper({
    member,
    folder,
    audits: auditFolder(data),
    settings,
    journal,
    pulse,
    recorder: new Recorder(ledger, by, folder, Date.now),
    round: async () => {
      const shift = shiftOf(ledger, { self: member, pulse, stepInMs: settings.stepInMs, now: Date.now() });
      const scope = getMember(ledger, member)?.kind === "commission" ? "all" : "own";
      const isMine = ({ object, source }: { object: { id: string }; source: string }): boolean =>
        turnOf(shift, { id: object.id, source }) === member;
      return {
        chainId: ledger.chainId,
        scope,
        view,
        isLookedAt: scope === "all" ? () => true : isMine,
        isRepaired: isMine,
      };
    },
    ...(onNotice === undefined ? {} : { onNotice }),
  });
}

/** Whose name rounds are recorded and stores asked in: the configured key, or that of probing, or the custodian's, which every node has. */
function keepingKey(config: NodeConfig): KeyOfFile {
  const { keeping, member, custody } = config;
  if (keeping?.key === undefined) return probingKey(config) ?? readKeyFile(custody.key);
  const key = readKeyFile(keeping.key);
  if (key.member !== member) throw new Fault("key_file_unreadable", { path: keeping.key });
  return key;
}
