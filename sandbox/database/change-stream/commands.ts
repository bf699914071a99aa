/** Events for changes of collections and databases: what the oplog's commands become in a stream. */
import { decode } from "../engine/codec.ts";
import { Binary, type Document, isDocument } from "../engine/value.ts";
import { splitNamespace } from "../storage/catalog.ts";
import type { ReplyObject } from "../wire/writer.ts";
import type { Scope } from "./options.ts";

export interface CommandEvent {
  type: string;
  ns: ReplyObject | undefined;
  more: ReplyObject | undefined;
  /** The stream ends with an invalidate event after this one. */
  invalidates: boolean;
  /** Only for streams with showExpandedEvents. */
  expandedOnly: boolean;
}

interface Command {
  database: string;
  body: Document;
  info: Document | undefined;
  uuid: Uint8Array | undefined;
}

function pair(ns: string): ReplyObject {
  const { database, name } = splitNamespace(ns);
  return { db: database, coll: name };
}

function concerns(scope: Scope, ns: string): boolean {
  if (scope.kind === "cluster") return true;
  if (scope.kind === "database") return splitNamespace(ns).database === scope.database;
  return scope.ns === ns;
}

function without(document: Document, ...names: string[]): ReplyObject {
  return Object.fromEntries([...document].filter(([name]) => !names.includes(name)));
}

type Translation = (command: Command, scope: Scope) => CommandEvent | undefined;

function onCollection(
  command: Command,
  scope: Scope,
  event: Omit<CommandEvent, "ns">,
): CommandEvent | undefined {
  const [name] = command.body.values();
  const ns = `${command.database}.${name as string}`;
  return concerns(scope, ns) ? { ...event, ns: pair(ns) } : undefined;
}

const TRANSLATIONS: Record<string, Translation> = {
  create: (command, scope) =>
    onCollection(command, scope, {
      type: "create",
      more: { operationDescription: { ...without(command.body, "create") } },
      invalidates: false,
      expandedOnly: true,
    }),
  drop: (command, scope) =>
    onCollection(command, scope, {
      type: "drop",
      more: undefined,
      invalidates: scope.kind === "collection",
      expandedOnly: false,
    }),
  createIndexes: (command, scope) =>
    onCollection(command, scope, {
      type: "createIndexes",
      more: { operationDescription: { indexes: [without(command.body, "createIndexes")] } },
      invalidates: false,
      expandedOnly: true,
    }),
  dropIndexes: (command, scope) =>
    onCollection(command, scope, {
      type: "dropIndexes",
      more: { operationDescription: { indexes: [command.info ?? new Map()] } },
      invalidates: false,
      expandedOnly: true,
    }),
  collMod: (command, scope) =>
    onCollection(command, scope, {
      type: "modify",
      more: { operationDescription: without(command.body, "collMod"), stateBeforeChange: command.info ?? {} },
      invalidates: false,
      expandedOnly: true,
    }),
  dropDatabase: (command, scope) => {
    if (scope.kind === "collection" || (scope.kind === "database" && scope.database !== command.database))
      return undefined;
    return {
      type: "dropDatabase",
      ns: { db: command.database },
      more: undefined,
      invalidates: scope.kind === "database",
      expandedOnly: false,
    };
  },
  renameCollection: (command, scope) => {
    const from = command.body.get("renameCollection") as string;
    const to = command.body.get("to") as string;
    if (!concerns(scope, from) && !concerns(scope, to)) return undefined;
    const dropTarget = command.body.get("dropTarget");
    return {
      type: "rename",
      ns: pair(from),
      more: {
        to: pair(to),
        operationDescription: {
          to: pair(to),
          dropTarget: dropTarget instanceof Binary ? dropTarget : undefined,
        },
      },
      invalidates: scope.kind === "collection",
      expandedOnly: false,
    };
  },
};

/** The event of a command entry for a stream of that scope; undefined when the stream doesn't see it. */
export function commandEvent(
  entry: { ns: string; body: Uint8Array; key: Uint8Array | undefined; uuid: Uint8Array | undefined },
  scope: Scope,
  expanded: boolean,
): CommandEvent | undefined {
  const body = decode(entry.body);
  const [kind] = body.keys();
  const translate = kind === undefined ? undefined : TRANSLATIONS[kind];
  if (!translate) return undefined;
  const info = entry.key ? decode(entry.key) : undefined;
  const command: Command = {
    database: splitNamespace(entry.ns).database,
    body,
    info: isDocument(info) ? info : undefined,
    uuid: entry.uuid,
  };
  const event = translate(command, scope);
  if (!event || (event.expandedOnly && !expanded)) return undefined;
  if (!expanded && event.type === "rename") event.more = { to: event.more!.to };
  return isHidden(event, scope) ? undefined : event;
}

/** System collections and the server's own databases don't show, as far as the stream didn't ask for them by name. */
function isHidden(event: CommandEvent, scope: Scope): boolean {
  const database = event.ns?.db as string;
  const name = event.ns?.coll;
  if (scope.kind === "cluster" && (database === "admin" || database === "local" || database === "config"))
    return true;
  return scope.kind !== "collection" && typeof name === "string" && name.startsWith("system.");
}
