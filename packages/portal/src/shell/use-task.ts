/** Something that the owner asked for: whether it runs, and what went wrong. */
import { useState } from "react";

export interface Task {
  readonly running: boolean;
  readonly error: unknown;
  /** Runs `work` unless the task runs already; an error is kept for the page to tell. */
  run(work: () => Promise<void>): void;
  clear(): void;
}

export function useTask(): Task {
  const [running, setRunning] = useState(false);
  const [error, setError] = useState<unknown>(undefined);
  return {
    running,
    error,
    clear: () => setError(undefined),
    run: (work) => {
      if (running) return;
      setRunning(true);
      setError(undefined);
      work()
        .catch(setError)
        .finally(() => setRunning(false));
    },
  };
}
