import { AwsError } from "./service.ts";
import { escapeXml, toXml } from "./xml.ts";

/** The four ways AWS words an error. */
export type ErrorFormat = "json" | "rest-json" | "query" | "ec2" | "s3";

/** Signature errors as the JSON and EC2 services name them; `signature.ts` throws S3's names. */
const renamed: Readonly<
  Record<string, Partial<Record<ErrorFormat, readonly [code: string, status: number]>>>
> = {
  InvalidAccessKeyId: {
    json: ["UnrecognizedClientException", 400],
    "rest-json": ["UnrecognizedClientException", 403],
    query: ["InvalidClientTokenId", 403],
    ec2: ["AuthFailure", 401],
  },
  SignatureDoesNotMatch: {
    json: ["InvalidSignatureException", 400],
    "rest-json": ["InvalidSignatureException", 403],
    ec2: ["AuthFailure", 401],
  },
  InvalidToken: {
    json: ["UnrecognizedClientException", 400],
    "rest-json": ["UnrecognizedClientException", 403],
    query: ["InvalidClientTokenId", 403],
    ec2: ["AuthFailure", 401],
  },
  ExpiredToken: {
    json: ["ExpiredTokenException", 400],
    "rest-json": ["ExpiredTokenException", 403],
    ec2: ["RequestExpired", 400],
  },
  AccessDenied: {
    json: ["AccessDeniedException", 400],
    "rest-json": ["AccessDeniedException", 403],
    ec2: ["UnauthorizedOperation", 403],
  },
};

/** Any thrown value as an AwsError; what isn't one is a bug of the stand-in and says so. */
export function asAwsError(error: unknown): AwsError {
  if (error instanceof AwsError) return error;
  console.error(error);
  return new AwsError(
    "InternalError",
    `the stand-in failed: ${error instanceof Error ? error.message : String(error)}`,
    500,
  );
}

/** Writes an error as the service's protocol does. HEAD answers carry no body. */
export function errorResponse(
  error: AwsError,
  format: ErrorFormat,
  requestId: string,
  method = "POST",
): Response {
  const [code, status] = renamed[error.code]?.[format] ?? [error.code, error.status];
  if (format === "json" || format === "rest-json") {
    const name = format === "json" ? "__type" : "Type";
    return new Response(
      JSON.stringify({ [name]: code, message: error.message, Message: error.message, ...error.fields }),
      {
        status,
        headers: {
          "content-type": "application/x-amz-json-1.1",
          "x-amzn-errortype": code,
          "x-amzn-requestid": requestId,
        },
      },
    );
  }
  const headers = { "content-type": "application/xml", "x-amz-request-id": requestId };
  const fault = { Code: code, Message: error.message, ...error.fields };
  if (format === "s3") {
    if (method === "HEAD" || status === 304) return new Response(null, { status, headers });
    const xml = toXml({ Error: { ...fault, RequestId: requestId, HostId: "sandbox" } });
    return new Response(`<?xml version="1.0" encoding="UTF-8"?>\n${xml}`, { status, headers });
  }
  const xml =
    format === "ec2"
      ? `<Response><Errors><Error>${toXml(fault)}</Error></Errors><RequestID>${requestId}</RequestID></Response>`
      : `<ErrorResponse><Error><Type>${status < 500 ? "Sender" : "Receiver"}</Type><Code>${escapeXml(code)}</Code><Message>${escapeXml(error.message)}</Message></Error><RequestId>${requestId}</RequestId></ErrorResponse>`;
  return new Response(`<?xml version="1.0" encoding="UTF-8"?>\n${xml}`, { status, headers });
}
