/**
 * One member's part of a consortium over an open ledger: read model, custodians, API and page. What a process of one member and a
 * demonstration of many members in one process both consist of.
 * Source: design.md, "The one picture", "Read model".
 */
import { fileURLToPath } from "node:url";
import { type ApiOptions, createApi, dropEndedDescriptions, ledgerSource } from "@xinglin/api";
import type { CustodianService } from "@xinglin/custody";
import { ReadModel, type RebuildReason, type StoreLocation } from "@xinglin/index";
import { FhirValidator } from "@xinglin/interop";
import type { Ledger } from "@xinglin/ledger";
import { Fault } from "@xinglin/primitives";

const PORTAL = fileURLToPath(new URL("../../portal/dist/", import.meta.url));

/** What a member's part is opened from. */
export interface MemberOptions {
  /** Open already; closed with the rest. */
  readonly ledger: Ledger;
  readonly database: StoreLocation;
  readonly api: Pick<
    ApiOptions,
    "host" | "port" | "tls" | "hostNames" | "peers" | "search" | "node" | "nodeStatement" | "archiveReport" | "log" | "version"
  >;
}

/** A member's part that serves. */
export interface OpenMember {
  readonly ledger: Ledger;
  readonly index: ReadModel;
  /** Who answers for each custodian that requests may name; a caller adds and replaces them. */
  readonly custodians: Map<string, CustodianService>;
  /** Address of the API and of the patient page. */
  readonly url: string;
  /** Why the read model was made anew at start, if it was. */
  readonly rebuilt: RebuildReason | undefined;
  /** Closes everything, the ledger too. */
  close(): Promise<void>;
}

/** Opens the parts in order; what was opened is closed again if a later one fails. Faults: those of the read model and of the API. */
export async function openMember({ ledger, database, api: options }: MemberOptions): Promise<OpenMember> {
  const closing: (() => Promise<void>)[] = [() => ledger.close()];
  const close = async (): Promise<void> => {
    for (const step of closing.splice(0).reverse()) await step();
  };
  try {
    let rebuilt: RebuildReason | undefined;
    const index = await ReadModel.open({
      location: database,
      source: ledgerSource(ledger),
      onRebuild: (reason) => {
        rebuilt = reason;
      },
    });
    closing.push(() => index.close());
    const custodians = new Map<string, CustodianService>();
    const fhir = new FhirValidator();
    closing.push(() => fhir.close());
    const api = await createApi({
      ...options,
      ledger,
      index,
      custodians,
      validateFhir: async (json) => {
        const checked = await fhir.validateBundle(json);
        return checked.ok ? { issues: [], more: 0 } : checked.refusal;
      },
      portalDirectory: PORTAL,
    });
    closing.push(() => api.close());
    const ending = new AbortController();
    const upkeep = dropEndedDescriptions(ledger, index, ending.signal).catch((error: unknown) => {
      if (!(error instanceof Fault)) throw error; // a database that fails is told where it is needed, and the next start looks again
    });
    closing.push(async () => {
      ending.abort();
      await upkeep;
    });
    await api.listen();
    return { ledger, index, custodians, url: api.url, rebuilt, close };
  } catch (error) {
    await close();
    throw error;
  }
}
