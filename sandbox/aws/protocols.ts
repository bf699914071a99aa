import { asAwsError, type ErrorFormat } from "./errors.ts";
import { AwsError, type JsonService, type QueryService, type RequestContext } from "./service.ts";
import { escapeXml, toXml } from "./xml.ts";

/** A JSON or Query request whose operation is known. `key` names what it is about, for faults and the journal. */
export interface Call {
  readonly service: string;
  readonly operation: string;
  readonly key: string;
  readonly format: ErrorFormat;
  run(context: RequestContext, requestId: string): Promise<Response>;
}

const identifying = /(?:Name|Names|Id|Ids|Arn|Arns|Identifier|Path|Identity)$/;

/** The values of the fields that name things (`…Name`, `…Id`, `…Arn`, `…Path`); values of secrets never match. */
function keyOf(input: Readonly<Record<string, unknown>>): string {
  const parts: string[] = [];
  for (const [field, value] of Object.entries(input)) {
    if (!identifying.test(field.replace(/\.\d+$/, ""))) continue;
    if (typeof value === "string") parts.push(value);
    else if (Array.isArray(value)) parts.push(...value.filter((item) => typeof item === "string"));
  }
  return parts.join(" ");
}

function jsonBody(body: Uint8Array): Record<string, unknown> {
  if (body.length === 0) return {};
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(body));
    if (value !== null && typeof value === "object" && !Array.isArray(value))
      return value as Record<string, unknown>;
  } catch (cause) {
    throw new AwsError("SerializationException", `expected a JSON object: ${asAwsErrorMessage(cause)}`);
  }
  throw new AwsError("SerializationException", "expected a JSON object");
}

function asAwsErrorMessage(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}

/** Dates go as seconds since 1970 (a number), the timestamp format of AWS JSON. */
function jsonText(output: object): string {
  return JSON.stringify(output, function (this: Record<string, unknown>, field, value: unknown) {
    const original = this[field];
    if (original instanceof Date) return original.getTime() / 1000;
    if (original instanceof Uint8Array) return Buffer.from(original).toString("base64");
    return value;
  });
}

/** AWS JSON 1.0/1.1: the operation of `X-Amz-Target` among all services that share its prefix. */
export function jsonCall(
  services: readonly JsonService[],
  target: string,
  contentType: string,
  body: Uint8Array,
): Call {
  const [prefix = "", operation = ""] = target.split(".");
  const sharing = services.filter((service) => service.targetPrefix === prefix);
  const service = sharing.find((each) => Object.hasOwn(each.operations, operation));
  const name = service?.name ?? sharing[0]?.name ?? prefix;
  let input: Record<string, unknown> = {};
  let unreadable: AwsError | undefined;
  try {
    input = jsonBody(body);
  } catch (error) {
    unreadable = asAwsError(error);
  }
  return {
    service: name,
    operation,
    key: keyOf(input),
    format: "json",
    async run(context, requestId) {
      if (unreadable !== undefined) throw unreadable;
      if (service === undefined)
        throw new AwsError("UnknownOperationException", `the stand-in has no ${target}`);
      const output = await service.operations[operation]!(input, context);
      return new Response(jsonText(output), {
        headers: {
          "content-type": contentType.includes("json-1.0")
            ? "application/x-amz-json-1.0"
            : "application/x-amz-json-1.1",
          "x-amzn-requestid": requestId,
        },
      });
    },
  };
}

/** AWS Query and EC2: `Action` and its parameters from the form body. */
export function queryCall(
  services: readonly QueryService[],
  signedFor: string | undefined,
  body: Uint8Array,
): Call {
  const parameters = Object.fromEntries(new URLSearchParams(new TextDecoder().decode(body)));
  const { Action: operation = "", Version: _version, ...input } = parameters;
  const has = (each: QueryService) => Object.hasOwn(each.operations, operation);
  const named = services.find((each) => each.name === signedFor);
  const service = named ?? services.find(has);
  const format: ErrorFormat = service?.style === "ec2" ? "ec2" : "query";
  return {
    service: service?.name ?? signedFor ?? "unknown",
    operation,
    key: keyOf(input),
    format,
    async run(context, requestId) {
      if (service === undefined || !has(service)) {
        throw new AwsError("InvalidAction", `The action ${operation} is not valid for this web service.`);
      }
      const output = await service.operations[operation]!(input, context);
      const open = `<${operation}Response xmlns="${escapeXml(service.namespace)}">`;
      const xml =
        service.style === "ec2"
          ? `${open}<requestId>${requestId}</requestId>${toXml(output, "item")}</${operation}Response>`
          : `${open}<${operation}Result>${toXml(output, "member")}</${operation}Result><ResponseMetadata><RequestId>${requestId}</RequestId></ResponseMetadata></${operation}Response>`;
      return new Response(`<?xml version="1.0" encoding="UTF-8"?>\n${xml}`, {
        headers: { "content-type": "text/xml;charset=UTF-8", "x-amzn-requestid": requestId },
      });
    },
  };
}
