/** The part of a configuration file on looking after the archive. Source: docs/internals/archive.md, "The archive looks after itself". */
import { KEEPING_DEFAULTS } from "../keeping/settings.ts";
import type { NodeConfig } from "./node-config.ts";
import { choice, quoted } from "./yaml-lines.ts";

/** What each number is for; an absent one is shown as it is by default. */
const KEEPING_NUMBERS: { readonly [Name in keyof typeof KEEPING_DEFAULTS]: string } = {
  everyMinutes: "两轮之间的分钟数 / minutes between two rounds",
  sample: "每个存储上每个对象抽查的分片数 / pieces looked at of each object on each store",
  repairSpare: "剩余冗余不多于此数的对象予以修复 / objects that can lose at most so many columns more are repaired",
  alarmSpare: "剩余冗余少于此数即告警 / objects that can lose fewer are told in the log",
  percent: "巡检与修复最多占用的时间百分比 / most of the time, in percent, that looking and mending take",
  goneHours:
    "存储离线超过此小时数即视为永久丢失，在别处重建 / a store away for so many hours is taken for gone, and rebuilt elsewhere",
  stepInHours: "成员超过此小时数无记录，由其他成员代为维护 / a member that records nothing for so many hours is stood in for",
  keepDays: "审计声明保存天数 / days that the statements of rounds are kept",
};

/** Its lines, each key with what it is for; all as comments where nothing is set. */
export function keepingLines(keeping: NodeConfig["keeping"], near: (path: string) => string): string[] {
  const heading = [
    "# 归档巡检：节点定期抽查本成员对象在各存储上的分片，修复缺损，结果上链；off: true 则关闭",
    "# looking after the archive: the node looks at pieces of its member's objects on every store, mends them and records it; `off: true` switches it off",
  ];
  const lines = [
    "keeping:",
    ...choice("off", keeping?.off === undefined ? undefined : quoted(keeping.off), "true"),
    "  # 以谁的名义记录；不设则使用 probing.key，否则使用保管人密钥 / who records it; without it `probing.key`, or else the custodian's key",
    ...choice("key", keeping?.key === undefined ? undefined : near(keeping.key), "./members/ID/administration.json"),
    ...Object.entries(KEEPING_NUMBERS).flatMap(([name, about]) => {
      const value = keeping?.[name as keyof typeof KEEPING_NUMBERS];
      const usual = KEEPING_DEFAULTS[name as keyof typeof KEEPING_NUMBERS];
      return [`  # ${about}`, ...choice(name, value === undefined ? undefined : quoted(value), String(usual))];
    }),
  ];
  return [...heading, ...(keeping === undefined ? lines.map((line) => `# ${line}`) : lines)];
}
