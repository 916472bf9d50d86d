/** The gateway of a command that archives: with what it seals told by `--profile`, else by the node's configuration. Source: requirement D9. */
import { PROFILES, type ProfileName } from "@xinglin/archive";
import type { Gateway } from "@xinglin/gateway";
import { Fault } from "@xinglin/primitives";
import type { Context } from "../command.ts";

/** The consortium's gateway, for an import. Throws `option_wrong` for a profile that there is not. */
export function importingGateway(context: Context): Gateway {
  const told = context.text("profile");
  if (told === undefined) return context.gateway();
  const profile = PROFILES.find((name): name is ProfileName => name === told);
  if (profile === undefined) throw new Fault("option_wrong", { option: "--profile", expected: PROFILES.join("|") });
  return { ...context.gateway(), profile };
}
