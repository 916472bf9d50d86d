/**
 * Who asks a store service: every request is signed by the key of a pass, and the chain says which member the pass's signer is of.
 * Source: docs/internals/archive.md, "At another member's"; RFC 9421.
 */
import type { IncomingMessage } from "node:http";
import { Nonces, parseSignatureHeaders, REQUEST_WINDOW_SECONDS, signatureBase } from "@xinglin/crypto/http";
import { verifySync } from "@xinglin/crypto/node";
import { type Bytes, Fault, toBase64url } from "@xinglin/primitives";
import { type PassStatement, readPass } from "./pass.ts";

/** Who a pass is of, as the chain has it now. Throws a `Fault` for one that it does not stand behind. */
export type Authorize = (pass: Bytes) => Promise<{ readonly member: string }>;

/** A suspended actor is turned away this long after its suspension at the latest. */
const ASK_AGAIN_MS = 10_000;
const MAX_PASSES = 10_000;

interface Guest {
  readonly pass: Bytes;
  readonly statement: PassStatement;
  readonly nonces: Nonces;
  member: string;
  askedAt: number;
}

export class Guests {
  readonly #authorize: Authorize;
  readonly #authorities: ReadonlySet<string>;
  readonly #now: () => number;
  readonly #known = new Map<string, Guest>();

  /** `authorities` are the names, with ports, under which the service is asked; `now` in milliseconds. */
  constructor(authorize: Authorize, authorities: readonly string[], now: () => number = Date.now) {
    this.#authorize = authorize;
    this.#authorities = new Set(authorities.map((name) => name.toLowerCase()));
    this.#now = now;
  }

  /** Learns a pass. Throws `store_pass_refused` or `malformed`. */
  async learn(pass: Bytes): Promise<void> {
    const { id, statement } = readPass(pass);
    const member = await this.#memberOf(pass);
    this.#forgetSome();
    this.#known.set(id, { pass, statement, nonces: new Nonces(), member, askedAt: this.#now() });
  }

  /**
   * The member whose pass signed the request, and the digest that its body must have. Throws `host_unknown`, `session_missing`,
   * `request_signature_malformed`, `store_pass_unknown`, `request_stale`, `request_signature_wrong`, `request_replayed`, `store_pass_refused`.
   */
  async of(request: IncomingMessage): Promise<{ member: string; digest: string | undefined }> {
    const { headers, method = "", url = "" } = request;
    const authority = headers.host?.toLowerCase() ?? "";
    if (!this.#authorities.has(authority)) throw new Fault("host_unknown");
    const [input, given] = [headers["signature-input"], headers.signature];
    if (typeof input !== "string" || typeof given !== "string") throw new Fault("session_missing");
    const { parameters, signature } = parseSignatureHeaders(input, given);
    const guest = this.#known.get(parameters.session);
    if (guest === undefined) throw new Fault("store_pass_unknown");
    const now = Math.floor(this.#now() / 1000);
    if (Math.abs(now - parameters.created) > REQUEST_WINDOW_SECONDS) throw new Fault("request_stale");
    const question = url.indexOf("?");
    const digest = headers["content-digest"];
    const parts = {
      method,
      authority,
      path: question < 0 ? url : url.slice(0, question),
      query: question < 0 ? "" : url.slice(question + 1),
      ...(typeof digest === "string" ? { contentDigest: digest } : {}),
    };
    const isRight =
      parameters.suite === "ed25519" &&
      parameters.hasBody === (typeof digest === "string") &&
      verifySync("ed25519", guest.statement.requestKey, signatureBase(parts, parameters), signature);
    if (!isRight) throw new Fault("request_signature_wrong");
    if (!guest.nonces.use(toBase64url(parameters.nonce), now)) throw new Fault("request_replayed");
    if (now >= guest.statement.notAfter || this.#now() - guest.askedAt > ASK_AGAIN_MS)
      await this.#askAgain(parameters.session, guest);
    return { member: guest.member, digest: typeof digest === "string" ? digest : undefined };
  }

  async #askAgain(id: string, guest: Guest): Promise<void> {
    try {
      guest.member = await this.#memberOf(guest.pass);
      guest.askedAt = this.#now();
    } catch (cause) {
      this.#known.delete(id);
      throw cause;
    }
  }

  async #memberOf(pass: Bytes): Promise<string> {
    try {
      return (await this.#authorize(pass)).member;
    } catch (cause) {
      if (cause instanceof Fault) throw new Fault("store_pass_refused", {}, { cause });
      throw cause;
    }
  }

  /** Whoever is thrown out shows the pass again. */
  #forgetSome(): void {
    for (const id of this.#known.keys()) {
      if (this.#known.size < MAX_PASSES) return;
      this.#known.delete(id);
    }
  }
}
