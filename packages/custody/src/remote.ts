/** A custodian in another process, with the same answers and the same codes. */
import { type Bytes, Fault, schema } from "@xinglin/primitives";
import { MAX_REQUEST_BYTES } from "./contract.ts";
import type { CustodianService } from "./service.ts";

const TIMEOUT_MS = 10_000;
const problem = schema.object({
  code: schema.text(64, /^[a-z_]+$/),
  facts: { parse: (facts: unknown) => facts as Fault["facts"] },
  retry: schema.bool,
});

/** `url` is the custodian's address. Faults: the custodian's own, `custodian_unreachable` (retry). */
export function remoteCustodian(url: string): CustodianService {
  const post = async (route: string, body: Bytes): Promise<Bytes> => {
    let response: Response;
    let bytes: Bytes;
    try {
      response = await fetch(new URL(route, url), {
        method: "POST",
        body: body as Uint8Array<ArrayBuffer>,
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      bytes = new Uint8Array(await response.arrayBuffer());
    } catch (cause) {
      throw new Fault("custodian_unreachable", {}, { cause, retry: true });
    }
    if (bytes.length > MAX_REQUEST_BYTES) throw new Fault("custodian_unreachable", { reason: "too_long" }, { retry: true });
    if (response.ok) return bytes;
    throw faultOf(bytes);
  };
  return {
    deposit: (request) => post("/deposits", request),
    depositMany: (request) => post("/bulk-deposits", request),
    release: (request) => post("/releases", request),
    erase: (request) => post("/erasures", request),
  };
}

function faultOf(bytes: Bytes): Fault {
  try {
    const { code, facts, retry } = problem.parse(JSON.parse(new TextDecoder().decode(bytes)));
    return new Fault(code, facts, { retry });
  } catch (cause) {
    return new Fault("custodian_unreachable", { reason: "unreadable" }, { cause, retry: true });
  }
}
