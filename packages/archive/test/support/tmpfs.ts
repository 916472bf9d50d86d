/** Disks that can be filled up. */
import { execFileSync } from "node:child_process";

/** Why this machine mounts none; false if it does. */
export function whyNoTmpfs(): string | false {
  try {
    execFileSync("unshare", ["-m", "mount", "-t", "tmpfs", "tmpfs", "/mnt"], { stdio: "ignore" });
    return false;
  } catch {
    return "mount: not permitted, so no disk was really filled";
  }
}
