/**
 * A session: the caller's key signs one statement, and a key made for the session signs every request after it. A passkey so asks its
 * owner once. Source: RFC 9421; `@xinglin/verifier/session`.
 */
import type { SuiteId } from "@xinglin/contracts";
import { ed25519Signer, randomBytes } from "@xinglin/crypto";
import { contentDigest, type SignatureParameters, signatureBase, signatureHeaders } from "@xinglin/crypto/http";
import { keyId, sha256 } from "@xinglin/crypto/pure";
import type { Bytes, UnixSeconds } from "@xinglin/primitives";
import { encodeSessionRequest, encodeSessionStatement, MAX_SESSION_SECONDS, sessionId } from "@xinglin/verifier/session";
import type { Identity } from "./identity.ts";

/** The statement begins a little in the past, for a server whose clock is behind. */
const BACKDATE_SECONDS = 30;
/** A session is renewed when less than this is left. */
const RENEW_SECONDS = 60;

export interface Session {
  /** Signed headers of one request; `path` may carry a query. */
  sign(method: string, path: string, body: Bytes | undefined): Promise<Record<string, string>>;
  isEnding(): boolean;
}

const nowSeconds = (): number => Math.floor(Date.now() / 1000);

/** Opens a session of `identity` at the server whose authority (host and port) is `authority`. */
export async function openSession(
  identity: Identity,
  server: { chainId: string; authority: string },
  post: (body: Bytes) => Promise<Bytes>,
): Promise<Session> {
  const requestSigner = ed25519Signer(randomBytes(32));
  const suite = identity.signer.suite as SuiteId;
  const notBefore = nowSeconds() - BACKDATE_SECONDS;
  const notAfter = notBefore + MAX_SESSION_SECONDS;
  const statement = encodeSessionStatement({
    type: "xinglin-session/1",
    chain: server.chainId,
    actor: identity.actor,
    key: keyId(suite, identity.signer.publicKey),
    suite,
    requestKey: { suite: "ed25519", key: requestSigner.publicKey },
    notBefore: notBefore as UnixSeconds,
    notAfter: notAfter as UnixSeconds,
  });
  await post(encodeSessionRequest({ statement, signature: await identity.signer.sign(statement) }));
  const session = sessionId(statement);
  return {
    isEnding: () => nowSeconds() > notAfter - RENEW_SECONDS,
    async sign(method, path, body) {
      const question = path.indexOf("?");
      const digest = body === undefined ? undefined : contentDigest(sha256(body));
      const parameters: SignatureParameters = {
        created: nowSeconds(),
        nonce: randomBytes(16),
        session,
        suite: "ed25519",
        hasBody: body !== undefined,
      };
      const base = signatureBase(
        {
          method,
          authority: server.authority,
          path: question < 0 ? path : path.slice(0, question),
          query: question < 0 ? "" : path.slice(question + 1),
          ...(digest === undefined ? {} : { contentDigest: digest }),
        },
        parameters,
      );
      return {
        ...signatureHeaders(parameters, await requestSigner.sign(base)),
        ...(digest === undefined ? {} : { "content-digest": digest }),
      };
    },
  };
}
