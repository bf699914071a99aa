/** SCRAM-SHA-1 and SCRAM-SHA-256 (RFC 5802, RFC 7677), the server's side, and making of credentials. */
import { createHash, createHmac, pbkdf2Sync, randomBytes, timingSafeEqual } from "node:crypto";
import { saslPrep } from "./saslprep.ts";

export type Mechanism = "SCRAM-SHA-1" | "SCRAM-SHA-256";
export const MECHANISMS: readonly Mechanism[] = ["SCRAM-SHA-1", "SCRAM-SHA-256"];

/** What is stored for a user and mechanism; the password can't be had back from it. */
export interface Credential {
  iterationCount: number;
  salt: string;
  storedKey: string;
  serverKey: string;
}

const ITERATIONS: Record<Mechanism, number> = { "SCRAM-SHA-1": 10_000, "SCRAM-SHA-256": 15_000 };
const SALT_BYTES: Record<Mechanism, number> = { "SCRAM-SHA-1": 16, "SCRAM-SHA-256": 28 };

export function isMechanism(name: string): name is Mechanism {
  return name === "SCRAM-SHA-1" || name === "SCRAM-SHA-256";
}

function hashName(mechanism: Mechanism): "sha1" | "sha256" {
  return mechanism === "SCRAM-SHA-1" ? "sha1" : "sha256";
}

function hmac(mechanism: Mechanism, key: Buffer, text: string): Buffer {
  return createHmac(hashName(mechanism), key).update(text).digest();
}

/** Makes the stored credential of a password. SHA-1 hashes MongoDB's old digest of it, SHA-256 the prepared text. */
export function makeCredential(mechanism: Mechanism, user: string, password: string): Credential {
  const secret =
    mechanism === "SCRAM-SHA-1"
      ? createHash("md5").update(`${user}:mongo:${password}`).digest("hex")
      : saslPrep(password);
  const salt = randomBytes(SALT_BYTES[mechanism]);
  const iterationCount = ITERATIONS[mechanism];
  const size = mechanism === "SCRAM-SHA-1" ? 20 : 32;
  const salted = pbkdf2Sync(secret, salt, iterationCount, size, hashName(mechanism));
  const clientKey = hmac(mechanism, salted, "Client Key");
  return {
    iterationCount,
    salt: salt.toString("base64"),
    storedKey: createHash(hashName(mechanism)).update(clientKey).digest("base64"),
    serverKey: hmac(mechanism, salted, "Server Key").toString("base64"),
  };
}

/** The exchange broke off: the reason is for the log, the client is only told that it failed. */
export class ScramFailure extends Error {}

function attributes(message: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const part of message.split(",")) {
    if (part[1] === "=") found.set(part[0]!, part.slice(2));
  }
  return found;
}

/** One exchange: client-first → server-first, client-final → server-final. */
export class ScramConversation {
  readonly mechanism: Mechanism;
  readonly user: string;
  private readonly credential: Credential;
  private readonly clientFirstBare: string;
  private readonly nonce: string;
  readonly serverFirst: string;

  /** @param find gives the user's credential; undefined when there is no such user or mechanism */
  constructor(mechanism: Mechanism, clientFirst: string, find: (user: string) => Credential | undefined) {
    this.mechanism = mechanism;
    const bare = /^[nyp][^,]*,[^,]*,(.*)$/s.exec(clientFirst)?.[1];
    if (bare === undefined) throw new ScramFailure("the first message has no GS2 header");
    this.clientFirstBare = bare;
    const fields = attributes(bare);
    this.user = (fields.get("n") ?? "").replaceAll("=2C", ",").replaceAll("=3D", "=");
    const credential = find(this.user);
    if (credential === undefined)
      throw new ScramFailure(`no ${mechanism} credential for user '${this.user}'`);
    this.credential = credential;
    this.nonce = (fields.get("r") ?? "") + randomBytes(24).toString("base64");
    this.serverFirst = `r=${this.nonce},s=${credential.salt},i=${credential.iterationCount}`;
  }

  /**
   * Checks the client's proof.
   * @throws ScramFailure when the password is wrong
   */
  finish(clientFinal: string): string {
    const proofAt = clientFinal.lastIndexOf(",p=");
    const fields = attributes(clientFinal);
    if (proofAt < 0 || fields.get("r") !== this.nonce) throw new ScramFailure("nonce or proof missing");
    const authMessage = `${this.clientFirstBare},${this.serverFirst},${clientFinal.slice(0, proofAt)}`;
    const storedKey = Buffer.from(this.credential.storedKey, "base64");
    const signature = hmac(this.mechanism, storedKey, authMessage);
    const proof = Buffer.from(clientFinal.slice(proofAt + 3), "base64");
    if (proof.length !== signature.length) throw new ScramFailure("proof of wrong length");
    const clientKey = Buffer.from(proof.map((byte, index) => byte ^ signature[index]!));
    const computed = createHash(hashName(this.mechanism)).update(clientKey).digest();
    if (!timingSafeEqual(computed, storedKey))
      throw new ScramFailure(`wrong password for user '${this.user}'`);
    const serverKey = Buffer.from(this.credential.serverKey, "base64");
    return `v=${hmac(this.mechanism, serverKey, authMessage).toString("base64")}`;
  }
}
