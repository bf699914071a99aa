/** Functions that a bucket calls when an object is created (NotificationConfiguration). Other events and targets are refused. */
import type { Events } from "../events.ts";
import { AwsError, type RequestContext } from "../service.ts";
import { childrenOf, childText, parseXml, type XmlElement } from "../xml.ts";
import type { ObjectVersion } from "./schema.ts";
import type { Store } from "./store.ts";

interface Rule {
  readonly id: string;
  readonly functionArn: string;
  readonly events: readonly string[];
  readonly prefix: string;
  readonly suffix: string;
}

const created = ["*", "Put", "Post", "Copy", "CompleteMultipartUpload"].map(
  (each) => `s3:ObjectCreated:${each}`,
);

/** How S3 names what made an object, by the operation. */
const eventNames: Readonly<Record<string, string>> = {
  PutObject: "ObjectCreated:Put",
  CopyObject: "ObjectCreated:Copy",
  CompleteMultipartUpload: "ObjectCreated:CompleteMultipartUpload",
};

/** S3 delivers at least once, at some time: how often and how late here (`/_sandbox/notifications`). */
export interface Delivery {
  copies: number;
  delayMs: number;
}

/** What S3 checks of a NotificationConfiguration before it takes it. Throws InvalidArgument 400. */
export function checkNotification(body: string, bucket: string, events: Events): void {
  const rules = rulesIn(body);
  for (const { functionArn } of rules)
    if (!events.mayCall({ functionArn, principal: "s3.amazonaws.com", sourceArn: bucketArn(bucket) }))
      throw invalid("Unable to validate the following destination configurations");
  rules.forEach((rule, index) => {
    if (rules.slice(index + 1).some((other) => overlap(rule, other)))
      throw invalid(
        "Configurations overlap. Configurations on the same bucket cannot share a common event type.",
      );
  });
}

/** Calls the functions that wait for what a request has just made. */
export function announce(
  operation: string,
  { bucket, key, version }: { bucket: string; key: string; version: string | null },
  store: Store,
  events: Events,
  delivery: Delivery,
  context: RequestContext,
): void {
  const name = eventNames[operation];
  const stored = name && store.setting(bucket, "notification");
  if (!stored) return;
  const object =
    (version === null ? undefined : store.version(bucket, key, version)) ?? store.latest(bucket, key);
  if (object === undefined) return;
  for (const rule of rulesIn(stored.body).filter((each) => isAbout(each, name, key))) {
    const call = {
      functionArn: rule.functionArn,
      principal: "s3.amazonaws.com",
      sourceArn: bucketArn(bucket),
      event: { Records: [record(rule, name, bucket, object, context)] },
    };
    for (let copy = 0; copy < delivery.copies; copy++) setTimeout(() => events.call(call), delivery.delayMs);
  }
}

function isAbout({ events, prefix, suffix }: Rule, name: string, key: string): boolean {
  const isNamed = events.includes("s3:ObjectCreated:*") || events.includes(`s3:${name}`);
  return isNamed && key.startsWith(prefix) && key.endsWith(suffix);
}

function overlap(one: Rule, other: Rule): boolean {
  const isShared =
    one.events.some((event) => other.events.includes(event)) ||
    [one, other].some(({ events }) => events.includes("s3:ObjectCreated:*"));
  const prefixes = one.prefix.startsWith(other.prefix) || other.prefix.startsWith(one.prefix);
  const suffixes = one.suffix.endsWith(other.suffix) || other.suffix.endsWith(one.suffix);
  return isShared && prefixes && suffixes;
}

function rulesIn(body: string): Rule[] {
  if (body.trim() === "") return [];
  const root = parsed(body);
  for (const other of ["QueueConfiguration", "TopicConfiguration", "EventBridgeConfiguration"])
    if (childrenOf(root, other).length > 0)
      throw new AwsError("NotImplemented", `the stand-in has no ${other} of a bucket`, 501);
  return childrenOf(root, "CloudFunctionConfiguration").map(ruleOf);
}

function parsed(body: string): XmlElement {
  try {
    return parseXml(body);
  } catch {
    throw new AwsError("MalformedXML", "The XML you provided was not well-formed", 400);
  }
}

function ruleOf(element: XmlElement): Rule {
  const events = childrenOf(element, "Event").map(({ text }) => text);
  const unknown = events.find((event) => !created.includes(event));
  if (unknown !== undefined || events.length === 0)
    throw new AwsError(
      "MalformedXML",
      `the stand-in knows s3:ObjectCreated:… alone, got ${unknown ?? "none"}`,
      400,
    );
  const filters = childrenOf(element, "Filter").flatMap((filter) => childrenOf(filter, "S3Key"));
  const rules = filters.flatMap((filter) => childrenOf(filter, "FilterRule"));
  const filterOf = (name: string) => {
    const named = rules.filter((rule) => childText(rule, "Name")?.toLowerCase() === name);
    if (named.length > 1) throw invalid(`Cannot specify more than one ${name} rule in a filter.`);
    return (named[0] && childText(named[0], "Value")) ?? "";
  };
  return {
    id: childText(element, "Id") ?? "",
    functionArn: childText(element, "CloudFunction") ?? "",
    events,
    prefix: filterOf("prefix"),
    suffix: filterOf("suffix"),
  };
}

/** Amazon S3 User Guide, "Event message structure", version 2.1. */
function record(
  rule: Rule,
  eventName: string,
  bucket: string,
  object: ObjectVersion,
  context: RequestContext,
): object {
  return {
    eventVersion: "2.1",
    eventSource: "aws:s3",
    awsRegion: context.region,
    eventTime: new Date(object.modified).toISOString(),
    eventName,
    userIdentity: { principalId: `AWS:${context.accessKeyId}` },
    requestParameters: { sourceIPAddress: "127.0.0.1" },
    responseElements: { "x-amz-request-id": "sandbox", "x-amz-id-2": "sandbox" },
    s3: {
      s3SchemaVersion: "1.0",
      configurationId: rule.id,
      bucket: { name: bucket, ownerIdentity: { principalId: "sandbox" }, arn: bucketArn(bucket) },
      object: {
        key: formEncoded(object.key),
        size: object.size,
        eTag: object.etag,
        ...(object.version === "null" ? {} : { versionId: object.version }),
        sequencer: object.seq.toString(16).padStart(18, "0").toUpperCase(),
      },
    },
  };
}

/** As S3 writes keys in events: escaped, with `+` for a space; slashes stay. */
function formEncoded(key: string): string {
  return encodeURIComponent(key).replaceAll("%20", "+").replaceAll("%2F", "/");
}

function bucketArn(bucket: string): string {
  return `arn:aws:s3:::${bucket}`;
}

function invalid(message: string): AwsError {
  return new AwsError("InvalidArgument", message, 400);
}
