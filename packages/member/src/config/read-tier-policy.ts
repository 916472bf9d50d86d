/**
 * A member's policy of tiers, in a file of its own: when an object is cold, and what each tier costs.
 * Source: requirement D6; docs/internals/durability.md, "Tiers".
 */
import { readFileSync, statSync } from "node:fs";
import { resolve } from "node:path";
import { FIRST_TIER, type Tier, type TierPolicy, tierName } from "@xinglin/archive";
import { Fault, schema } from "@xinglin/primitives";
import { parseConfig } from "./read-config.ts";

const MAX_FILE_BYTES = 65_536;
const MAX_TIERS = 8;
const MAX_DAYS = 36_500;
/** 分 a stored terabyte and month. No fractions: a file says the same in every program. */
const price = schema.uint(100_000_000);
const FEN_TB_A_YUAN_GB = 100_000;

const shape = schema.object({
  type: schema.oneOf("xinglin-tiers/1"),
  /** The tier of stores that name none. */
  first: schema.object({ fenPerTbMonth: price }),
  /** The others, from warm to cold. */
  tiers: schema.list(
    schema.object({
      name: tierName,
      afterDays: schema.uint(MAX_DAYS),
      unreadDays: schema.uint(MAX_DAYS),
      minBytes: schema.optional(schema.uint()),
      fenPerTbMonth: price,
    }),
    MAX_TIERS,
    1,
  ),
});

/** Reads a policy in YAML or JSON. Throws `file_missing`, or `config_wrong` with `file`, `line`, `key` and what was `expected`. */
export function readTierPolicy(file: string): TierPolicy {
  const path = resolve(file);
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined || !found.isFile()) throw new Fault("file_missing", { path });
  if (found.size > MAX_FILE_BYTES)
    throw new Fault("config_wrong", { file: path, line: 1, key: "-", expected: `${MAX_FILE_BYTES} bytes` });
  return parseConfig(readFileSync(path, "utf8"), path, (content) => {
    const { first, tiers } = shape.parse(content);
    const names = tiers.map(({ name }) => name);
    const repeated = names.findIndex((name, i) => names.indexOf(name) !== i);
    if (repeated >= 0) throw new Fault("malformed", { element: `/tiers/${repeated}/name`, expected: "a name of its own" });
    return [
      { name: FIRST_TIER, afterDays: 0, unreadDays: 0, minBytes: 0, yuanPerGbMonth: first.fenPerTbMonth / FEN_TB_A_YUAN_GB },
      ...tiers.map(
        ({ fenPerTbMonth, minBytes = 0, ...tier }): Tier => ({
          ...tier,
          minBytes,
          yuanPerGbMonth: fenPerTbMonth / FEN_TB_A_YUAN_GB,
        }),
      ),
    ];
  });
}
