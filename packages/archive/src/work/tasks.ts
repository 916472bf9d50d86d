/** The tasks that workers know, with what goes in and comes out. */
import { auditObject } from "./audit-object.ts";
import { importObject } from "./import-object.ts";
import { lookAtPixels } from "./look-at-pixels.ts";
import { repairObject } from "./repair-object.ts";
import { retrieveToFolder } from "./retrieve-to-folder.ts";
import { streamObject } from "./stream-object.ts";

/** What a task may use beside its input. */
export interface TaskContext {
  /** Tells the caller how far the work is, in bytes of the object. */
  progress(doneBytes: number, totalBytes: number): void;
  /** Throws `aborted` if the caller no longer wants the result: called between stripes. */
  checkpoint(): void;
}

export const tasks = { importObject, retrieveToFolder, streamObject, auditObject, repairObject, lookAtPixels } as const;

export type TaskName = keyof typeof tasks;
export type TaskInput<Name extends TaskName> = Parameters<(typeof tasks)[Name]>[0];
export type TaskOutput<Name extends TaskName> = Awaited<ReturnType<(typeof tasks)[Name]>>;
