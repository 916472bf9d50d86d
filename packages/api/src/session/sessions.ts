/**
 * Sessions: who signed which statement, and whether the key behind it is still in force. Nothing is kept on disk and nothing here is
 * secret: after a restart a client signs a new statement.
 * Source: design.md, "Identity" (the server holds no patient's or doctor's key); RFC 9421.
 */
import { type Actor, callerOf, getActor, getMember, type Member, type StateReader } from "@xinglin/contracts";
import {
  contentDigest,
  Nonces,
  parseSignatureHeaders,
  REQUEST_WINDOW_SECONDS,
  type RequestParts,
  signatureBase,
} from "@xinglin/crypto/http";
import { nodeSha256, verifySync } from "@xinglin/crypto/node";
import { type ActorId, Fault, type MemberId, toBase64url } from "@xinglin/primitives";
import {
  decodeSessionRequest,
  decodeSessionStatement,
  MAX_SESSION_SECONDS,
  type SessionStatement,
  sessionId,
} from "@xinglin/verifier/session";

const MAX_SESSIONS = 20_000;
const MAX_SESSIONS_PER_ACTOR = 32;

/** What the chain says of who asks. */
export interface Caller {
  readonly actorId: ActorId;
  readonly kind: Actor["kind"];
  readonly member: MemberId;
  readonly memberKind: Member["kind"];
  /** The key that signed the session. */
  readonly signer: Pick<SessionStatement, "actor" | "key" | "suite">;
}

interface Session {
  readonly statement: SessionStatement;
  readonly nonces: Nonces;
}

/** The state as it is now, and the passkey policy in it. */
export interface ChainState extends StateReader {
  readonly chainId: string;
  readonly webauthn: () => { origins: readonly string[]; rpIdHash: Uint8Array };
}

export class Sessions {
  readonly #chain: ChainState;
  readonly #now: () => number;
  /** In the order in which they were opened. */
  readonly #sessions = new Map<string, Session>();
  readonly #ofActor = new Map<string, Set<string>>();

  /** `now` in milliseconds. */
  constructor(chain: ChainState, now: () => number) {
    this.#chain = chain;
    this.#now = now;
  }

  /**
   * Opens the session of a signed statement and returns its name. Throws `malformed`, `wrong_chain`, `session_period_wrong`,
   * `signature_wrong`, `enrolment_key_only_enrols`, or an admission code of the rules.
   */
  open(request: Uint8Array): string {
    const { statement: bytes, signature } = decodeSessionRequest(request);
    const statement = decodeSessionStatement(bytes);
    const { chain, suite, notBefore, notAfter } = statement;
    if (chain !== this.#chain.chainId) throw new Fault("wrong_chain", { chain: this.#chain.chainId });
    const now = this.#seconds();
    const isSane = notBefore < notAfter && notAfter - notBefore <= MAX_SESSION_SECONDS;
    if (!isSane || now < notBefore || now >= notAfter)
      throw new Fault("session_period_wrong", { mostSeconds: MAX_SESSION_SECONDS });
    const { publicKey } = this.#inForce(statement);
    if (!verifySync(suite, publicKey.key, bytes, signature, this.#chain.webauthn())) throw new Fault("signature_wrong");
    const id = sessionId(bytes);
    if (!this.#sessions.has(id)) this.#add(id, statement);
    return id;
  }

  /**
   * The caller of a signed request, whose body is not read yet: `contentDigest` is what the header says. Throws `session_missing`,
   * `request_signature_malformed`, `session_unknown`, `request_stale`, `request_signature_wrong`, `request_replayed`, or an admission code if
   * the key behind the session is no longer in force.
   */
  authenticate(
    parts: RequestParts,
    headers: { readonly input: string | undefined; readonly signature: string | undefined },
  ): Caller {
    if (headers.input === undefined || headers.signature === undefined) throw new Fault("session_missing");
    const { parameters, signature } = parseSignatureHeaders(headers.input, headers.signature);
    const session = this.#find(parameters.session);
    if (session === undefined) throw new Fault("session_unknown", {}, { retry: true });
    const now = this.#seconds();
    if (Math.abs(now - parameters.created) > REQUEST_WINDOW_SECONDS)
      throw new Fault("request_stale", { serverTime: now }, { retry: true });
    const { requestKey } = session.statement;
    const isRight =
      parameters.suite === requestKey.suite &&
      parameters.hasBody === (parts.contentDigest !== undefined) &&
      verifySync(requestKey.suite, requestKey.key, signatureBase(parts, parameters), signature);
    if (!isRight) throw new Fault("request_signature_wrong");
    if (!session.nonces.use(toBase64url(parameters.nonce), now)) throw new Fault("request_replayed");
    return this.#callerOf(parameters.session, session.statement);
  }

  /** Whether a body is the one whose digest was signed. */
  static isDigestOf(digest: string, body: Uint8Array): boolean {
    return digest === contentDigest(nodeSha256(body));
  }

  /** For a stream that outlives its first request: whether its caller may still be served, by the key with which it came. */
  isStillAllowed({ signer }: Caller): boolean {
    try {
      this.#inForce(signer);
      return true;
    } catch (error) {
      if (error instanceof Fault) return false;
      throw error;
    }
  }

  #callerOf(id: string, statement: SessionStatement): Caller {
    try {
      const { actorId, actor } = this.#inForce(statement);
      const member = getMember(this.#chain, actor.member);
      if (member === undefined) throw new Fault("sponsor_unknown", { member: actor.member });
      return { actorId, kind: actor.kind, member: actor.member, memberKind: member.kind, signer: statement };
    } catch (error) {
      this.#remove(id);
      throw error;
    }
  }

  #inForce({ actor, key, suite }: Caller["signer"]): { actorId: ActorId; actor: Actor; publicKey: { key: Uint8Array } } {
    const known = getActor(this.#chain, actor);
    if (known === undefined) throw new Fault("unknown_signer", { actor });
    const caller = callerOf(this.#chain, { signer: { actor, key, suite }, sponsor: known.member });
    if (!caller.ok) throw new Fault(caller.refusal.code, caller.refusal.facts);
    if (caller.value.byEnrolment) throw new Fault("enrolment_key_only_enrols");
    return caller.value;
  }

  #find(id: string): Session | undefined {
    const session = this.#sessions.get(id);
    if (session === undefined || this.#seconds() < session.statement.notAfter) return session;
    this.#remove(id);
    return undefined;
  }

  /** When there is no room, an actor's oldest session goes before anyone else's. */
  #add(id: string, statement: SessionStatement): void {
    const own = this.#ofActor.get(statement.actor) ?? new Set<string>();
    const [ownOldest] = own;
    if (own.size >= MAX_SESSIONS_PER_ACTOR && ownOldest !== undefined) this.#remove(ownOldest);
    if (this.#sessions.size >= MAX_SESSIONS) for (const old of this.#sessions.keys()) this.#find(old);
    const [oldest] = this.#sessions.keys();
    if (this.#sessions.size >= MAX_SESSIONS && oldest !== undefined) this.#remove(oldest);
    this.#sessions.set(id, { statement, nonces: new Nonces() });
    this.#ofActor.set(statement.actor, own.add(id));
  }

  #remove(id: string): void {
    const session = this.#sessions.get(id);
    if (session === undefined) return;
    this.#sessions.delete(id);
    const own = this.#ofActor.get(session.statement.actor);
    own?.delete(id);
    if (own?.size === 0) this.#ofActor.delete(session.statement.actor);
  }

  #seconds(): number {
    return Math.floor(this.#now() / 1000);
  }
}
