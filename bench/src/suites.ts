/**
 * What a signature costs in each suite: checked and made on one core by the implementations that decide block validity, and its bytes. The
 * limit is the bare call into libsodium or OpenSSL, with a key that is imported already; the peer is what a JavaScript program would take
 * instead. `ml-dsa-65` is no suite of transactions but a type of validators' keys. Source: requirement B5; design.md, "Suites".
 */
import {
  createPrivateKey,
  createPublicKey,
  createSign,
  createVerify,
  generateKeyPairSync,
  type KeyObject,
  sign,
  verify,
} from "node:crypto";
import { encodeAssertion, portableCurves, type Suite, verifyVote, verifyWith, webauthnChallenge } from "@xinglin/crypto";
import { newSecret, nodeCurves, nodeMlDsa65Key, signerOfSecret, verifySync } from "@xinglin/crypto/node";
import { PUBLIC_KEY_BYTES, sha256 } from "@xinglin/crypto/pure";
import { type Bytes, concat, invariant, toBase64url, utf8 } from "@xinglin/primitives";
import { sm2 as peerSm2 } from "sm-crypto-v2";
import sodium from "sodium-native";
import { type Suite as BenchSuite, best, interleave, median } from "./measure.ts";

/** About as long as a transaction of one operation. */
const MESSAGE = new Uint8Array(700).map((_, i) => i);
/** How long one task of one round runs. */
const ROUND_MS = { quick: 80, full: 1_000 } as const;

/** Something to repeat; false if its answer was wrong. */
type Once = () => boolean;
interface Costs {
  readonly verify: Once;
  readonly verifyLimit: { readonly name: string; readonly once: Once };
  readonly verifyPeer: { readonly name: string; readonly once: () => boolean | Promise<boolean> };
  /** Passkeys sign in the authenticator. */
  readonly sign?: Once;
  readonly signLimit?: Once;
  readonly keyBytes: number;
  readonly signatureBytes: number;
}

const made = (signature: Bytes): boolean => signature.length >= 64;

/** Bare calls with a key of OpenSSL. */
function openssl(key: KeyObject, algorithm: string | null): { sign: Once; verify: Once } {
  const publicKey = createPublicKey(key);
  const signature = sign(algorithm, MESSAGE, key);
  return { sign: () => made(sign(algorithm, MESSAGE, key)), verify: () => verify(algorithm, MESSAGE, publicKey, signature) };
}
/** Bare calls for SM2, over a digest as the standard has it; a key must be imported to be one of SM2. */
function opensslSm2(): { sign: Once; verify: Once } {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "SM2" });
  const key = createPrivateKey({ key: privateKey.export({ format: "der", type: "pkcs8" }), format: "der", type: "pkcs8" });
  const publicKey = createPublicKey(key);
  const signature = createSign("sm3").update(MESSAGE).sign(key);
  return {
    sign: () => made(createSign("sm3").update(MESSAGE).sign(key)),
    verify: () => createVerify("sm3").update(MESSAGE).verify(publicKey, signature),
  };
}
/** Bare calls into libsodium. */
function libsodium(): { sign: Once; verify: Once } {
  const [publicKey, secretKey, signature] = [new Uint8Array(32), new Uint8Array(64), new Uint8Array(64)];
  sodium.crypto_sign_seed_keypair(publicKey, secretKey, new Uint8Array(32).fill(1));
  sodium.crypto_sign_detached(signature, MESSAGE, secretKey);
  return {
    sign: () => {
      const out = new Uint8Array(64);
      sodium.crypto_sign_detached(out, MESSAGE, secretKey);
      return made(out);
    },
    verify: () => sodium.crypto_sign_verify_detached(signature, MESSAGE, publicKey),
  };
}
const both = (a: { sign: Once; verify: Once }, b: { sign: Once; verify: Once }): { sign: Once; verify: Once } => ({
  sign: () => a.sign() && b.sign(),
  verify: () => a.verify() && b.verify(),
});

/** The costs of a suite whose keys lie in files. */
function ofSecret(suite: "ed25519" | "ed25519-ml-dsa-65" | "sm2", limit: { sign: Once; verify: Once }, limitName: string): Costs {
  const signer = signerOfSecret(suite, newSecret(suite));
  const signature = signer.signSync(MESSAGE);
  const noble = { name: "noble", once: () => verifyWith(portableCurves, suite, signer.publicKey, MESSAGE, signature) };
  return {
    verify: () => verifySync(suite, signer.publicKey, MESSAGE, signature),
    verifyLimit: { name: limitName, once: limit.verify },
    verifyPeer: suite === "sm2" ? smCryptoV2() : noble,
    sign: () => made(signer.signSync(MESSAGE)),
    signLimit: limit.sign,
    keyBytes: signer.publicKey.length,
    signatureBytes: signature.length,
  };
}
function smCryptoV2(): Costs["verifyPeer"] {
  const { privateKey, publicKey } = peerSm2.generateKeyPairHex();
  const signature = peerSm2.doSignature(MESSAGE, privateKey, { hash: true });
  return { name: "sm-crypto-v2", once: () => peerSm2.doVerifySignature(MESSAGE, signature, publicKey, { hash: true }) };
}

/** P-256 as a browser's key signs, and as a passkey does. */
function ofP256(suite: "p256" | "webauthn"): Costs {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const point = publicKey.export({ format: "der", type: "spki" }).subarray(-64);
  const key = concat(Uint8Array.of(2 + ((point[63] as number) & 1)), point.subarray(0, 32));
  const policy = { origins: ["http://localhost"], rpIdHash: sha256(utf8("localhost")) };
  const challenge = toBase64url(webauthnChallenge(MESSAGE));
  const clientDataJSON = utf8(
    `{"type":"webauthn.get","challenge":"${challenge}","origin":"http://localhost","crossOrigin":false}`,
  );
  const authenticatorData = concat(policy.rpIdHash, Uint8Array.of(5, 0, 0, 0, 0));
  const signed = suite === "p256" ? MESSAGE : concat(authenticatorData, sha256(clientDataJSON));
  const make = (dsaEncoding: "der" | "ieee-p1363"): Bytes =>
    new Uint8Array(sign("sha256", signed, { key: privateKey, dsaEncoding }));
  const accepted = (signature: Bytes): boolean => verifySync(suite, key, MESSAGE, signature, policy);
  const draw = (): Bytes =>
    suite === "p256" ? make("ieee-p1363") : encodeAssertion({ authenticatorData, clientDataJSON, signature: make("der") });
  let signature = draw();
  // OpenSSL does not choose the lower s, which is the only one that counts.
  while (!accepted(signature)) signature = draw();
  return {
    verify: () => accepted(signature),
    verifyLimit: { name: "OpenSSL P-256", once: openssl(privateKey, "sha256").verify },
    verifyPeer: { name: "noble", once: () => verifyWith(portableCurves, suite, key, MESSAGE, signature, policy) },
    keyBytes: key.length,
    signatureBytes: signature.length,
  };
}

function ofValidator(): Costs {
  const key = nodeMlDsa65Key(new Uint8Array(32).fill(3));
  const signature = key.sign(MESSAGE);
  const bare = openssl(generateKeyPairSync("ml-dsa-65").privateKey, null);
  const none = new Uint8Array(0);
  return {
    verify: () => nodeCurves.mlDsa65(key.publicKey, MESSAGE, signature, none),
    verifyLimit: { name: "OpenSSL ML-DSA-65", once: bare.verify },
    verifyPeer: { name: "noble", once: () => verifyVote(key.publicKey, MESSAGE, signature) },
    sign: () => made(key.sign(MESSAGE)),
    signLimit: bare.sign,
    keyBytes: key.publicKey.length,
    signatureBytes: signature.length,
  };
}

/** Measures `verify-NAME` and `sign-NAME` of every suite, and of validators' keys of type ML-DSA-65. */
export const run: BenchSuite = async ({ quick, emit }) => {
  const lattice = openssl(generateKeyPairSync("ml-dsa-65").privateKey, null);
  const suites: Readonly<Record<Suite | "ml-dsa-65", Costs>> = {
    ed25519: ofSecret("ed25519", libsodium(), "libsodium Ed25519"),
    p256: ofP256("p256"),
    webauthn: ofP256("webauthn"),
    "ed25519-ml-dsa-65": ofSecret("ed25519-ml-dsa-65", both(libsodium(), lattice), "libsodium Ed25519, then OpenSSL ML-DSA-65"),
    sm2: ofSecret("sm2", opensslSm2(), "OpenSSL SM2"),
    "ml-dsa-65": ofValidator(),
  };
  const milliseconds = quick ? ROUND_MS.quick : ROUND_MS.full;
  const rounds = quick ? 3 : 7;
  for (const [name, costs] of Object.entries(suites)) {
    invariant(name === "ml-dsa-65" || costs.keyBytes === PUBLIC_KEY_BYTES[name as Suite], "a key of another length");
    const conditions = {
      counted: "signatures a second of CPU time",
      messageBytes: MESSAGE.length,
      keyBytes: costs.keyBytes,
      signatureBytes: costs.signatureBytes,
    };
    const { verifyLimit, verifyPeer } = costs;
    const figures = await interleave(
      rounds,
      {
        ours: () => rate(costs.verify, milliseconds),
        limit: () => rate(verifyLimit.once, milliseconds),
        peer: () => rate(verifyPeer.once, milliseconds),
      },
      1,
    );
    const value = median(figures.ours);
    const limit = { name: verifyLimit.name, value: best(figures.limit) };
    const peer = { name: verifyPeer.name, value: best(figures.peer) };
    emit({
      measure: `verify-${name}`,
      value,
      unit: "/s",
      limit,
      ratio: value / limit.value,
      peer,
      speedup: value / peer.value,
      conditions,
      samples: figures.ours,
    });
    const { sign: ours, signLimit } = costs;
    if (ours === undefined || signLimit === undefined) continue;
    const signing = await interleave(
      rounds,
      { ours: () => rate(ours, milliseconds), limit: () => rate(signLimit, milliseconds) },
      1,
    );
    const signed = median(signing.ours);
    const bare = { name: verifyLimit.name, value: best(signing.limit) };
    emit({
      measure: `sign-${name}`,
      value: signed,
      unit: "/s",
      limit: bare,
      ratio: signed / bare.value,
      conditions,
      samples: signing.ours,
    });
  }
};

/**
 * How often `once` runs in a second of CPU time, measured over so many milliseconds of it: what one core gives, however busy the machine is with
 * other things. Throws if an answer was wrong.
 */
async function rate(once: () => boolean | Promise<boolean>, milliseconds: number): Promise<number> {
  const start = process.cpuUsage();
  const used = (): number => {
    const { user, system } = process.cpuUsage(start);
    return (user + system) / 1_000;
  };
  let done = 0;
  for (; used() < milliseconds; )
    for (let i = 0; i < 4; i++, done++) {
      const answer = once();
      invariant(typeof answer === "boolean" ? answer : await answer, "suites: a signature of the bench is wrong");
    }
  return (1_000 * done) / used();
}
