/** Finds a Go that is new enough. Source: design.md, "Runtime" (engines in Go with their own pinned modules). */
import { execFile } from "node:child_process";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import { Fault } from "@xinglin/primitives";

const run = promisify(execFile);
const PROGRAM = process.platform === "win32" ? "go.exe" : "go";
/** Where installers put Go beside the search path. */
const USUAL_FOLDERS = ["/usr/local/go/bin", "/usr/lib/go/bin", "/opt/homebrew/bin"];

/** Absolute path of the first Go of `oldest` (major, minor) or newer. Throws `Fault("go_missing")` that tells what was found instead. */
export async function findGo(oldest: readonly [number, number], environment: NodeJS.ProcessEnv = process.env): Promise<string> {
  const folders = [
    ...(environment.PATH ?? "").split(delimiter),
    ...(environment.GOROOT === undefined ? [] : [join(environment.GOROOT, "bin")]),
    ...(environment.XINGLIN_GO_FOLDERS === undefined ? USUAL_FOLDERS : environment.XINGLIN_GO_FOLDERS.split(delimiter)),
  ];
  let found = "-";
  for (const folder of folders.filter((one) => one !== "")) {
    const path = join(folder, PROGRAM);
    const version = await versionOf(path);
    if (version === undefined) continue;
    if (isNewEnough(version, oldest)) return path;
    found = version;
  }
  throw new Fault("go_missing", { wanted: oldest.join("."), found });
}

/** Whether a version such as `1.25.3` or `1.26rc1` is `oldest` or newer. */
export function isNewEnough(version: string, oldest: readonly [number, number]): boolean {
  const [major = 0, minor = 0] = version.split(".").map((part) => Number.parseInt(part, 10));
  return major > oldest[0] || (major === oldest[0] && minor >= oldest[1]);
}

async function versionOf(path: string): Promise<string | undefined> {
  try {
    const { stdout } = await run(path, ["version"], { env: { ...process.env, GOTOOLCHAIN: "local" } });
    return /\bgo(\d+\.\d+\S*)/.exec(stdout)?.[1];
  } catch {
    return undefined;
  }
}
