/**
 * The command line of `npm start`. Source: docs/guides/share-a-study.md.
 */
import { resolve } from "node:path";
import type { Language } from "@xinglin/gateway";
import { Fault } from "@xinglin/primitives";
import { languageFrom, readArguments } from "./arguments.ts";

export interface Options {
  readonly data: string;
  readonly port: number;
  readonly host: string;
  readonly tls?: { readonly certificate: string; readonly key: string };
  readonly language: Language;
  /** Open without playing the story. */
  readonly empty: boolean;
  /** Delete the data folder first. */
  readonly reset: boolean;
  /** Size in bytes of the study that the story makes from the real slices; `undefined`: it imports the real slices alone. */
  readonly studyBytes: number | undefined;
  /** Each custodian in a process of its own. */
  readonly separateCustodians: boolean;
  /** PostgreSQL instead of the embedded database. */
  readonly database?: string;
  readonly help: boolean;
}

const OPTIONS = {
  data: { type: "string" },
  port: { type: "string" },
  host: { type: "string" },
  "tls-cert": { type: "string" },
  "tls-key": { type: "string" },
  lang: { type: "string" },
  database: { type: "string" },
  study: { type: "string" },
  custodians: { type: "string" },
  empty: { type: "boolean" },
  reset: { type: "boolean" },
  help: { type: "boolean", short: "h" },
} as const;

const DEFAULT_PORT = 8750;
/** The 500 MB CT of requirement J8. */
const DEFAULT_STUDY = "500MB";

/** Reads the arguments. Throws `Fault("option_wrong")` naming the option. */
export function readOptions(args: readonly string[], environment: Readonly<Record<string, string | undefined>>): Options {
  const values = readArguments(args, OPTIONS);
  const port = values.port === undefined ? DEFAULT_PORT : Number(values.port);
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    throw new Fault("option_wrong", { option: "--port", expected: "0..65535" });
  if (values.custodians !== undefined && values.custodians !== "separate")
    throw new Fault("option_wrong", { option: "--custodians", expected: "separate" });
  const certificate = values["tls-cert"];
  const key = values["tls-key"];
  if ((certificate === undefined) !== (key === undefined))
    throw new Fault("option_wrong", { option: "--tls-cert", expected: "--tls-cert FILE --tls-key FILE" });
  return {
    data: resolve(values.data ?? ".xinglin"),
    port,
    host: values.host ?? "localhost",
    ...(certificate === undefined || key === undefined ? {} : { tls: { certificate, key } }),
    language: languageFrom(values.lang, environment),
    studyBytes: values.study === "real" ? undefined : sizeOf(values.study ?? DEFAULT_STUDY),
    separateCustodians: values.custodians === "separate",
    empty: values.empty === true,
    reset: values.reset === true,
    ...(values.database === undefined ? {} : { database: values.database }),
    help: values.help === true,
  };
}

const UNITS: Readonly<Record<string, number>> = { kb: 1e3, mb: 1e6, gb: 1e9 };

/** Bytes of `500MB`. */
function sizeOf(text: string): number {
  const match = /^(\d{1,6})(kB|MB|GB)$/i.exec(text);
  if (match === null) throw new Fault("option_wrong", { option: "--study", expected: "500MB|real" });
  return Number(match[1]) * (UNITS[(match[2] as string).toLowerCase()] as number);
}
