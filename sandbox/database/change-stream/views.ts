/** Events about views for streams with showExpandedEvents: changes of `system.views` as the client thinks of them. */
import { decode } from "../engine/codec.ts";
import { splitNamespace } from "../storage/catalog.ts";
import type { ReplyObject } from "../wire/writer.ts";
import type { EntryView } from "./entry.ts";

const TYPES = { i: "create", u: "modify", d: "drop" } as const;

export interface ViewEvent {
  type: string;
  ns: ReplyObject;
  more: ReplyObject | undefined;
}

/** The event of an entry on `system.views`; its documents are named by the views. */
export function viewEvent(entry: EntryView): ViewEvent {
  const operation = entry.operation as keyof typeof TYPES;
  const { _id, ...definition } = Object.fromEntries(decode(entry.body)) as ReplyObject;
  const id = operation === "u" && entry.key ? decode(entry.key).get("_id") : _id;
  const { database, name } = splitNamespace(id as string);
  return {
    type: TYPES[operation],
    ns: { db: database, coll: name },
    more: operation === "d" ? undefined : { operationDescription: definition },
  };
}
