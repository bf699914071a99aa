/** What Lambda calls the function with: S3's and SNS's events, as far as they are read. */
import { RoundtripError } from "../../core/errors.ts";

/** One thing that happened: an object was written, or a message came over a topic. */
export type Happening =
  | { readonly kind: "object"; readonly bucket: string; readonly key: string }
  | { readonly kind: "message"; readonly id: string; readonly text: string };

interface EventRecord {
  readonly eventSource?: string;
  readonly EventSource?: string;
  readonly s3?: { readonly bucket?: { readonly name?: string }; readonly object?: { readonly key?: string } };
  readonly Sns?: { readonly MessageId?: string; readonly Message?: string };
}

/** Fails `usage` for an event that is neither S3's nor SNS's: whoever sends it must hear that nobody reads it. */
export function happeningsIn(event: unknown): Happening[] {
  const { Records: records } = (event ?? {}) as { Records?: readonly EventRecord[] };
  if (!Array.isArray(records) || records.length === 0) throw unread(typeof event);
  return (records as readonly EventRecord[]).map((record) => {
    const { bucket, object } = record.s3 ?? {};
    if (record.eventSource === "aws:s3" && bucket?.name && object?.key)
      return { kind: "object", bucket: bucket.name, key: keyOf(object.key) };
    const { MessageId: id, Message: text } = record.Sns ?? {};
    if (record.EventSource === "aws:sns" && id && text !== undefined) return { kind: "message", id, text };
    throw unread(`a record of ${record.eventSource ?? record.EventSource ?? "nobody"}`);
  });
}

/** S3 writes keys in events as a form does. */
function keyOf(written: string): string {
  return decodeURIComponent(written.replaceAll("+", " "));
}

function unread(got: string): RoundtripError {
  return new RoundtripError({
    kind: "usage",
    what: "read the event the function notify was called with",
    expected: "records of S3 or SNS",
    got,
    wayOut: "nothing but the bucket's notification and the alarms' topic calls it (terraform/modules/notify)",
  });
}
