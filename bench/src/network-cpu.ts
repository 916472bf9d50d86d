/** What CPU a network of nodes uses, by what uses it: processes, and within Node's by their threads. */
import { readdirSync, readFileSync } from "node:fs";
import { cpuSecondsOf } from "./measure.ts";

/** CPU seconds of all nodes by what used them; the load's own threads are apart. */
export interface Cpu {
  readonly cometbft: number;
  /** Threads that verify signatures. */
  readonly signatures: number;
  readonly mainThread: number;
  /** Threads that write the database. */
  readonly database: number;
  /** V8's threads: garbage collection and compilation. */
  readonly runtime: number;
  readonly load: number;
}

const TICKS_A_SECOND = 100;

/** What these processes have used so far, of which `load` seconds were the load's. */
export function cpuOf(processes: {
  readonly nodes: readonly number[];
  readonly engines: readonly number[];
  readonly load: number;
}): Cpu {
  const { nodes, engines, load } = processes;
  const threads: Record<string, number> = {};
  for (const pid of nodes) for (const [name, used] of threadSeconds(pid)) threads[name] = (threads[name] ?? 0) + used;
  const { MainThread = 0, WorkerThread = 0, V8Worker = 0, ...others } = threads;
  return {
    cometbft: cpuSecondsOf(engines),
    signatures: WorkerThread - load,
    mainThread: MainThread,
    database: Object.values(others).reduce((sum, used) => sum + used, 0),
    runtime: V8Worker,
    load,
  };
}

/** All CPU seconds but the load's own. */
export const totalOf = ({ load: _, ...ours }: Cpu): number => Object.values(ours).reduce((sum, used) => sum + used, 0);

/** What was used between two readings. */
export const difference = (after: Cpu, before: Cpu): Cpu =>
  Object.fromEntries(Object.entries(after).map(([name, used]) => [name, used - before[name as keyof Cpu]])) as unknown as Cpu;

/** CPU seconds of each thread of a process, by the thread's name. Source: proc(5); the names are Node's own. */
function threadSeconds(pid: number): [string, number][] {
  return readdirSync(`/proc/${pid}/task`).map((task) => {
    const stat = readFileSync(`/proc/${pid}/task/${task}/stat`, "latin1");
    const name = stat.slice(stat.indexOf("(") + 1, stat.lastIndexOf(")"));
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return [name, (Number(fields[11]) + Number(fields[12])) / TICKS_A_SECOND];
  });
}
