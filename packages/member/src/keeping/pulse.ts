/**
 * Since when members have recorded nothing and stores have been away, as this node saw it by its own clock; kept over restarts. So a chain that stands still, or is
 * new, makes nobody look away at once. Source: docs/internals/archive.md, "The archive looks after itself".
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { writeFileDurably } from "@xinglin/custody";
import { type Infer, schema } from "@xinglin/primitives";

const MAX_ENTRIES = 8_192;
const id = schema.text(64);
const seen = schema.object({
  members: schema.list(schema.object({ member: id, recorded: schema.uint(), since: schema.uint() }), MAX_ENTRIES),
  stores: schema.list(schema.object({ store: id, since: schema.uint() }), MAX_ENTRIES),
});
type Seen = Infer<typeof seen>;

export class Pulse {
  readonly #path: string;
  readonly #members: Map<string, { readonly recorded: number; readonly since: number }>;
  /** Those that are away. */
  readonly #stores: Map<string, number>;

  /** What is known from before lies in `folder`; a file that is not one is begun anew. */
  constructor(folder: string) {
    this.#path = join(folder, "seen.json");
    const known = read(this.#path);
    this.#members = new Map(known.members.map(({ member, ...rest }) => [member, rest]));
    this.#stores = new Map(known.stores.map(({ store, since }) => [store, since]));
  }

  /** Notes how many rounds a member has recorded by now. Returns for how long, in milliseconds, there was no other. */
  member(member: string, recorded: number, now: number): number {
    const known = this.#members.get(member);
    if (known?.recorded === recorded) return Math.max(0, now - known.since);
    this.#members.set(member, { recorded, since: now });
    return 0;
  }

  /** Notes whether a store is there. Returns for how long it has been away. */
  store(store: string, isPresent: boolean, now: number): number {
    if (isPresent) {
      this.#stores.delete(store);
      return 0;
    }
    const since = this.#stores.get(store) ?? now;
    this.#stores.set(store, since);
    return Math.max(0, now - since);
  }

  /** Keeps what was noted. */
  save(): void {
    const content: Seen = {
      members: [...this.#members].map(([member, rest]) => ({ member, ...rest })),
      stores: [...this.#stores].map(([store, since]) => ({ store, since })),
    };
    writeFileDurably(this.#path, Buffer.from(`${JSON.stringify(content, undefined, 1)}\n`));
  }
}

function read(path: string): Seen {
  try {
    return seen.parse(JSON.parse(readFileSync(path, "utf8")));
  } catch {
    return { members: [], stores: [] }; // nothing was ever noted: everyone is seen from now on
  }
}
