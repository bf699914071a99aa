import type { Context } from "../../resource.ts";
import { elements, isObject, isUnknown, text, type Value, type Values } from "../../values.ts";
import { AwsFailure } from "../client.ts";

/** One S3 call on a bucket, or on a subresource of it. */
export async function s3(
  context: Context,
  values: Values,
  call: {
    operation: string;
    method: string;
    bucket: string;
    setting?: string;
    query?: Readonly<Record<string, string>>;
    body?: string;
    key?: string;
  },
): Promise<string> {
  const { operation, method, bucket, setting, query, body, key = "" } = call;
  const answer = await context.aws.send({
    service: "s3",
    operation,
    method,
    path: `/${bucket}${key === "" ? "" : `/${key.split("/").map(encodeURIComponent).join("/")}`}`,
    query: setting === undefined ? (query ?? {}) : { [setting]: "" },
    ...(body === undefined ? {} : { body }),
    region: text(values.region) ?? context.region,
  });
  return Buffer.from(answer.body).toString();
}

export function isMissing(error: unknown): boolean {
  return error instanceof AwsFailure && error.status === 404;
}

export function escaped(value: string): string {
  return value.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

/** An element, left out when there is nothing to say. */
export function element(name: string, content: Value | undefined): string {
  if (content === null || content === undefined || content === "" || isUnknown(content)) return "";
  return `<${name}>${typeof content === "string" ? content : escaped(String(content))}</${name}>`;
}

export function textElement(name: string, value: Value | undefined): string {
  return typeof value === "string" && value !== ""
    ? `<${name}>${escaped(value)}</${name}>`
    : element(name, value);
}

/** The blocks under a name. */
export function blocks(values: Values, name: string): Values[] {
  return elements(values[name]).filter(isObject);
}
