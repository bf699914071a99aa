import { queryPairs, requestTarget } from "./request-target.ts";
import { AwsError } from "./service.ts";

export interface Parts {
  readonly accessKeyId: string;
  readonly date: string;
  readonly region: string;
  readonly service: string;
  readonly timestamp: string;
  readonly signedHeaders: readonly string[];
  readonly signature: string;
  readonly token: string | null;
  readonly presigned: boolean;
}

export function parse(request: Request, query: string): Parts | undefined {
  const authorization = request.headers.get("authorization");
  if (authorization !== null) {
    const match =
      /^AWS4-HMAC-SHA256\s+Credential=([^,\s]+),\s*SignedHeaders=([^,\s]+),\s*Signature=([0-9a-f]{64})$/.exec(
        authorization,
      );
    if (match === null) {
      throw new AwsError(
        "AuthorizationHeaderMalformed",
        "expected AWS4-HMAC-SHA256 Credential=…, SignedHeaders=…, Signature=…",
        400,
      );
    }
    const timestamp = request.headers.get("x-amz-date") ?? "";
    return fromCredential(
      match[1]!,
      match[2]!,
      match[3]!,
      timestamp,
      request.headers.get("x-amz-security-token"),
      false,
    );
  }
  if (!query.includes("X-Amz-Signature=")) return undefined;
  const parameters = new Map(queryPairs(query));
  return fromCredential(
    parameters.get("X-Amz-Credential") ?? "",
    parameters.get("X-Amz-SignedHeaders") ?? "",
    parameters.get("X-Amz-Signature") ?? "",
    parameters.get("X-Amz-Date") ?? "",
    parameters.get("X-Amz-Security-Token") ?? null,
    true,
  );
}

function fromCredential(
  credential: string,
  signedHeaders: string,
  signature: string,
  timestamp: string,
  token: string | null,
  presigned: boolean,
): Parts {
  const [accessKeyId, date, region, service, terminator] = credential.split("/");
  if (terminator !== "aws4_request" || !/^\d{8}T\d{6}Z$/.test(timestamp)) {
    throw new AwsError(
      "AuthorizationHeaderMalformed",
      "expected Credential=<key>/<date>/<region>/<service>/aws4_request and an X-Amz-Date",
      400,
    );
  }
  return {
    accessKeyId: accessKeyId!,
    date: date!,
    region: region!,
    service: service!,
    timestamp,
    signedHeaders: signedHeaders.split(";"),
    signature,
    token,
    presigned,
  };
}

/** The signing service named in the request's credential scope (`s3`, `ssm`, …), or undefined when it is unsigned. */
export function signingService(request: Request): string | undefined {
  const { query } = requestTarget(request.url);
  return parse(request, query)?.service;
}
