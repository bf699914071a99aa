/** aws_s3_bucket_notification: all of a bucket's notifications at once; deleting puts an empty one. Functions only. */
import { randomBytes } from "node:crypto";
import type { Context, Resource } from "../../resource.ts";
import { elements, text, type Values } from "../../values.ts";
import { blocks, element, isMissing, s3, textElement } from "./api.ts";

function rule(values: Values): string {
  const id = text(values.id) ?? `tf-s3-lambda-${randomBytes(13).toString("hex")}`;
  const filter = (name: string, value: Values[string] | undefined) =>
    typeof value === "string" && value !== ""
      ? `<FilterRule><Name>${name}</Name>${textElement("Value", value)}</FilterRule>`
      : "";
  const filters = filter("prefix", values.filter_prefix) + filter("suffix", values.filter_suffix);
  const events = elements(values.events).map((event) => element("Event", event));
  return `<CloudFunctionConfiguration>${textElement("Id", id)}${textElement("CloudFunction", values.lambda_function_arn)}${events.join("")}${
    filters === "" ? "" : `<Filter><S3Key>${filters}</S3Key></Filter>`
  }</CloudFunctionConfiguration>`;
}

async function put(values: Values, body: string, context: Context): Promise<void> {
  await s3(context, values, {
    operation: "PutBucketNotificationConfiguration",
    method: "PUT",
    bucket: String(values.bucket),
    setting: "notification",
    body: `<NotificationConfiguration>${body}</NotificationConfiguration>`,
  });
}

async function putAll({ planned }: { planned: Values }, context: Context): Promise<Values> {
  for (const other of ["queue", "topic"])
    if (blocks(planned, other).length > 0)
      throw new Error(`the stand-in has no ${other} of a bucket's notification`);
  if (planned.eventbridge === true) throw new Error("the stand-in has no EventBridge");
  await put(planned, blocks(planned, "lambda_function").map(rule).join(""), context);
  return { id: String(planned.bucket) };
}

const unescaped = (value: string) =>
  value
    .replace(/&#(\d+);/g, (_, code: string) => String.fromCharCode(Number(code)))
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&amp;", "&");

/** The blocks, out of S3's document. */
function blocksIn(document: string): Values[] {
  return [...document.matchAll(/<CloudFunctionConfiguration>([\s\S]*?)<\/CloudFunctionConfiguration>/g)].map(
    ([, body = ""]) => {
      const textOf = (name: string) =>
        unescaped(new RegExp(`<${name}>([^<]*)</${name}>`).exec(body)?.[1] ?? "");
      const filterOf = (name: string) => {
        const found = new RegExp(`<Name>${name}</Name><Value>([^<]*)</Value>`, "i").exec(body)?.[1];
        return found === undefined ? null : unescaped(found);
      };
      return {
        id: textOf("Id"),
        lambda_function_arn: textOf("CloudFunction"),
        events: [...body.matchAll(/<Event>([^<]*)<\/Event>/g)].map(([, event = ""]) => event),
        filter_prefix: filterOf("prefix"),
        filter_suffix: filterOf("suffix"),
      };
    },
  );
}

export const notification: Resource = {
  rules: {
    source: "github.com/hashicorp/terraform-provider-aws internal/service/s3/bucket_notification.go",
    forceNew: ["bucket"],
    defaults: { eventbridge: false },
  },
  create: putAll,
  update: putAll,
  async read(state, context) {
    const bucket = String(state.id);
    try {
      const document = await s3(context, state, {
        operation: "GetBucketNotificationConfiguration",
        method: "GET",
        bucket,
        setting: "notification",
      });
      return {
        id: bucket,
        bucket,
        eventbridge: false,
        lambda_function: blocksIn(document),
        queue: [],
        topic: [],
      };
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  },
  async delete(state, context) {
    try {
      await put(state, "", context);
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
  },
};
