import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import type { Identities } from "./identity.ts";
import { decode, queryPairs, requestTarget, uriEncode } from "./request-target.ts";
import { AwsError } from "./service.ts";
import { type Parts, parse } from "./signature-parts.ts";

/** What a signature says about its request. `seed` and `key` continue a chunk-signed body. */
export interface Signed {
  readonly accessKeyId: string;
  readonly scope: string;
  readonly date: string;
  readonly signature: string;
  readonly key: Buffer;
}

const skewMsMax = 15 * 60_000;

const signingKeys = new Map<string, Buffer>();

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac("sha256", key).update(text).digest();
}

function canonicalQuery(query: string): string {
  return queryPairs(query)
    .filter(([name]) => name !== "X-Amz-Signature")
    .map(([name, value]) => [uriEncode(name), uriEncode(value)] as const)
    .sort(([nameA, valueA], [nameB, valueB]) =>
      nameA < nameB ? -1 : nameA > nameB ? 1 : valueA < valueB ? -1 : valueA > valueB ? 1 : 0,
    )
    .map(([name, value]) => `${name}=${value}`)
    .join("&");
}

function canonicalPath(path: string, service: string): string {
  // S3 signs the path encoded once, every other service signs the encoded path encoded again.
  const encode = service === "s3" ? (segment: string) => uriEncode(decode(segment)) : uriEncode;
  return path.split("/").map(encode).join("/");
}

function signingKey(secret: string, parts: Parts): Buffer {
  const id = `${parts.accessKeyId}/${secret}/${parts.date}/${parts.region}/${parts.service}`;
  const known = signingKeys.get(id);
  if (known !== undefined) return known;
  const key = hmac(
    hmac(hmac(hmac(`AWS4${secret}`, parts.date), parts.region), parts.service),
    "aws4_request",
  );
  if (signingKeys.size > 1000) signingKeys.clear();
  signingKeys.set(id, key);
  return key;
}

function checkTime(parts: Parts, query: string, now: number): void {
  const signedAt = Date.parse(
    parts.timestamp.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, "$1-$2-$3T$4:$5:$6Z"),
  );
  if (parts.presigned) {
    const seconds = Number(new Map(queryPairs(query)).get("X-Amz-Expires") ?? "0");
    if (now > signedAt + seconds * 1000) throw new AwsError("AccessDenied", "Request has expired", 403);
  } else if (Math.abs(now - signedAt) > skewMsMax) {
    throw new AwsError(
      "RequestTimeTooSkewed",
      `expected a date within 15 minutes of ${new Date(now).toISOString()}, got ${parts.timestamp}`,
      403,
    );
  }
}

/**
 * Checks a request's SigV4 signature (header or presigned). `payloadHash` is the hash that was signed.
 * Throws AwsError with S3's codes: AccessDenied (unsigned), InvalidAccessKeyId, InvalidToken, ExpiredToken,
 * RequestTimeTooSkewed, SignatureDoesNotMatch.
 */
export function verifySignature(
  request: Request,
  payloadHash: string,
  identities: Identities,
  now: number,
): Signed {
  const { path, query } = requestTarget(request.url);
  const parts = parse(request, query);
  if (parts === undefined)
    throw new AwsError("AccessDenied", "expected a signed request, got no signature", 403);
  const credential = identities.find(parts.accessKeyId);
  if (credential === undefined) {
    throw new AwsError(
      "InvalidAccessKeyId",
      `The AWS Access Key Id you provided (${parts.accessKeyId}) does not exist in our records.`,
      403,
    );
  }
  if ((credential.sessionToken ?? null) !== parts.token) {
    throw new AwsError("InvalidToken", "The provided token is malformed or otherwise invalid.", 400);
  }
  if (credential.expires !== null && now > credential.expires) {
    throw new AwsError("ExpiredToken", "The provided token has expired.", 400);
  }
  checkTime(parts, query, now);
  const headers = parts.signedHeaders
    .map((name) => `${name}:${(request.headers.get(name) ?? "").trim().replace(/ +/g, " ")}\n`)
    .join("");
  const canonical = [
    request.method,
    canonicalPath(path, parts.service),
    canonicalQuery(query),
    headers,
    parts.signedHeaders.join(";"),
    parts.presigned ? "UNSIGNED-PAYLOAD" : payloadHash,
  ].join("\n");
  const scope = `${parts.date}/${parts.region}/${parts.service}/aws4_request`;
  const hash = createHash("sha256").update(canonical).digest("hex");
  const key = signingKey(credential.secretAccessKey, parts);
  const expected = hmac(key, `AWS4-HMAC-SHA256\n${parts.timestamp}\n${scope}\n${hash}`);
  const given = Buffer.from(parts.signature, "hex");
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) {
    throw new AwsError(
      "SignatureDoesNotMatch",
      "The request signature we calculated does not match the signature you provided. Check your key and signing method.",
      403,
    );
  }
  return { accessKeyId: parts.accessKeyId, scope, date: parts.timestamp, signature: parts.signature, key };
}
