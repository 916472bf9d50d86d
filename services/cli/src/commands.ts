/** Every command by its words; each is loaded when it is called. */
import type { Command } from "./command.ts";

const load = (file: string, name: string) => async (): Promise<Command> =>
  ((await import(`./commands/${file}.ts`)) as Record<string, Command>)[name] as Command;

export const commands: Readonly<Record<string, () => Promise<Command>>> = {
  status: load("status", "status"),
  stores: load("stores", "stores"),
  validate: load("validate", "validate"),
  "study generate": load("study", "generate"),
  "staff register": load("people", "staffRegister"),
  "device register": load("people", "deviceRegister"),
  "key replace": load("people", "keyReplace"),
  "credential suspend": load("people", "credentialSuspend"),
  "patient register": load("people", "patientRegister"),
  "patient enrol": load("people", "patientEnrol"),
  "patient recover": load("people", "patientRecover"),
  "consent grant": load("consent", "grant"),
  "consent narrow": load("consent", "narrow"),
  "consent revoke": load("consent", "revoke"),
  "consent list": load("consent", "list"),
  "record import": load("record", "importFiles"),
  "record amend": load("record", "amend"),
  "record refile": load("record", "refile"),
  "record withdraw": load("record", "withdraw"),
  "record end": load("record", "end"),
  "record list": load("record", "list"),
  grants: load("read", "grants"),
  read: load("read", "read"),
  accesses: load("read", "accesses"),
  audit: load("audit", "audit"),
  "evidence export": load("evidence", "exportEvidence"),
  "evidence verify": load("evidence", "verify"),
  "light follow": load("light", "follow"),
  "light status": load("light", "status"),
  "light fork": load("light", "fork"),
  backup: load("backup", "backup"),
  restore: load("backup", "restore"),
};
