/** `xinglin COMMAND`: finds the command, runs it, and says in the caller's language what went wrong. */
import { createSay } from "@xinglin/gateway";
import { Fault } from "@xinglin/primitives";
import { type Command, createContext, languageOfArguments } from "./command.ts";
import { commands } from "./commands.ts";
import { faultSentence } from "./fault-sentence.ts";

const EXIT_FAULT = 1;
const EXIT_USAGE = 2;

async function main(args: readonly string[]): Promise<number> {
  const language = languageOfArguments(args);
  const say = createSay(new URL("../messages/", import.meta.url), language);
  const words = args.filter((word) => !word.startsWith("-")).slice(0, 2);
  const names = [words.join(" "), words[0] ?? ""];
  const name = names.find((candidate) => Object.hasOwn(commands, candidate));
  if (name === undefined || args.includes("--help") || args.includes("-h")) {
    printHelp(name);
    return name === undefined && args.length > 0 && !args.includes("--help") && args[0] !== "help" ? EXIT_USAGE : 0;
  }
  let skip = name.split(" ").length;
  const rest = args.filter((word) => skip === 0 || word.startsWith("-") || skip-- < 0);
  try {
    const command = await (commands[name] as () => Promise<Command>)();
    await command.run(createContext(command, rest, say));
    return 0;
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    process.stderr.write(`${faultSentence(error, language)}\n`);
    return error.code.startsWith("option_") ? EXIT_USAGE : EXIT_FAULT;
  }

  function printHelp(only: string | undefined): void {
    if (only === undefined) say.plain("help.title");
    for (const command of only === undefined ? Object.keys(commands) : [only])
      say.plain("help.line", { command: command.padEnd(18), summary: say.text(`command.${command.replaceAll(" ", "_")}`) });
    say.plain("help.common");
  }
}

process.exitCode = await main(process.argv.slice(2));
