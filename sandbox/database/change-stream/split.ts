/** `$changeStreamSplitLargeEvent`: an event over the limit becomes fragments of whole top-level fields. */
import { ServerError } from "../engine/errors.ts";
import { maxInternalDocumentBytes, rawElements, rawField } from "../engine/raw.ts";
import { BsonWriter } from "../wire/writer.ts";
import { type Position, tokenText } from "./token.ts";

/** Room for `_id` and `splitEvent` in each fragment. */
const OVERHEAD = 256;

/** @throws ServerError BSONObjectTooLarge when one field alone is too large for a fragment */
export function splitEvent(
  event: Uint8Array,
  position: Position,
): { bytes: Uint8Array; position: Position }[] {
  const groups: Uint8Array[][] = [];
  let room = 0;
  for (const element of rawElements(event)) {
    const bytes = event.subarray(element.elementStart, element.end);
    if (element.elementStart === 4 && rawField(event, "_id")?.elementStart === 4) continue;
    if (bytes.length + OVERHEAD > maxInternalDocumentBytes) {
      throw new ServerError(
        "BSONObjectTooLarge",
        `change event splitting failed: a field of ${bytes.length} bytes doesn't fit into a fragment`,
      );
    }
    if (groups.length === 0 || bytes.length > room) {
      groups.push([]);
      room = maxInternalDocumentBytes - OVERHEAD;
    }
    groups.at(-1)!.push(bytes);
    room -= bytes.length;
  }
  return groups.map((elements, index) =>
    fragment(elements, { ...position, fragment: index + 1 }, groups.length),
  );
}

function fragment(
  elements: Uint8Array[],
  position: Position,
  of: number,
): { bytes: Uint8Array; position: Position } {
  const writer = new BsonWriter(4096);
  const start = writer.begin();
  const id = writer.beginObject("_id");
  writer.string("_data", tokenText(position));
  writer.end(id);
  const split = writer.beginObject("splitEvent");
  writer.int32("fragment", position.fragment);
  writer.int32("of", of);
  writer.end(split);
  for (const element of elements) writer.raw(element);
  writer.end(start);
  return { bytes: writer.bytes(), position };
}
