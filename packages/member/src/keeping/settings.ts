/** What a configuration may change of how a node looks after the archive. Source: docs/internals/archive.md, "The archive looks after itself". */
import type { NodeConfig } from "../config/node-config.ts";

/** How often and how thoroughly a node looks, and when it does something. */
export interface KeepingSettings {
  /** From the end of a round to the beginning of the next. */
  readonly everyMs: number;
  /** Pieces of each object on each store. */
  readonly sample: number;
  /** An object that can lose at most so many columns more is repaired. */
  readonly repairSpare: number;
  /** One that can lose fewer is told to the operator. */
  readonly alarmSpare: number;
  /** Most of the time that looking and mending take; in the rest the stores are free for readers. */
  readonly percent: number;
  /** A store that is away for so long is taken for gone, and its columns are rebuilt elsewhere. */
  readonly goneMs: number;
  /** A member that records nothing for so long is taken for away, and another looks after its objects. */
  readonly stepInMs: number;
  /** So long the statements of recorded rounds are kept. */
  readonly keepMs: number;
}

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Used where the configuration says nothing, in its units. */
export const KEEPING_DEFAULTS = {
  everyMinutes: 720,
  sample: 2,
  repairSpare: 3,
  alarmSpare: 2,
  percent: 25,
  goneHours: 168,
  stepInHours: 48,
  keepDays: 400,
} as const;

/** The settings of a configuration; undefined if it says that the node shall not look. */
export function keepingSettings({ keeping = {} }: Pick<NodeConfig, "keeping">): KeepingSettings | undefined {
  if (keeping.off === true) return undefined;
  const { everyMinutes, sample, repairSpare, alarmSpare, percent, goneHours, stepInHours, keepDays } = {
    ...KEEPING_DEFAULTS,
    ...keeping,
  };
  return {
    everyMs: everyMinutes * MINUTE,
    sample,
    repairSpare,
    alarmSpare,
    percent,
    goneMs: goneHours * HOUR,
    stepInMs: stepInHours * HOUR,
    keepMs: keepDays * DAY,
  };
}
