/** Records the events of one client under the names of the unified test format, and compares them with a case's. */
import type { Document, MongoClient } from "mongodb";
import { withoutOwnTimeout } from "./driver-limits.ts";
import type { Entities } from "./entities.ts";
import { difference, isDocument, show } from "./match.ts";
import type { ExpectedEvents } from "./schema.ts";

const driverNames = {
  commandStartedEvent: "commandStarted",
  commandSucceededEvent: "commandSucceeded",
  commandFailedEvent: "commandFailed",
  poolCreatedEvent: "connectionPoolCreated",
  poolReadyEvent: "connectionPoolReady",
  poolClearedEvent: "connectionPoolCleared",
  poolClosedEvent: "connectionPoolClosed",
  connectionCreatedEvent: "connectionCreated",
  connectionReadyEvent: "connectionReady",
  connectionClosedEvent: "connectionClosed",
  connectionCheckOutStartedEvent: "connectionCheckOutStarted",
  connectionCheckOutFailedEvent: "connectionCheckOutFailed",
  connectionCheckedOutEvent: "connectionCheckedOut",
  connectionCheckedInEvent: "connectionCheckedIn",
  serverDescriptionChangedEvent: "serverDescriptionChanged",
  topologyDescriptionChangedEvent: "topologyDescriptionChanged",
} as const;

type EventName = keyof typeof driverNames;

const sensitive = new Set([
  ...["authenticate", "saslStart", "saslContinue", "getnonce", "createUser", "updateUser"],
  ...["copydbgetnonce", "copydbsaslstart", "copydb"],
]);

export interface RecordedEvent {
  readonly name: string;
  readonly event: Document;
}

/** The driver goes on using, and changing, parts of a command after it was sent. */
function copyOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(copyOf);
  if (value instanceof Map) return copyOf(Object.fromEntries(value));
  if (!isDocument(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, copyOf(part)]));
}

function isCommandEvent(name: string): boolean {
  return name.startsWith("command");
}

export class EventRecorder {
  readonly events: RecordedEvent[] = [];
  #isStopped = false;

  /** Listens to what the entity's `observeEvents` names. */
  constructor(client: MongoClient, entity: Document) {
    const ignored = new Set(["configureFailPoint", ...(entity.ignoreCommandMonitoringEvents ?? [])]);
    for (const name of (entity.observeEvents ?? []) as EventName[]) {
      const driverName = driverNames[name];
      if (driverName === undefined)
        throw new Error(`client ${entity.id}: events ${name} aren't known to this runner`);
      client.on(driverName, (event: Document) => {
        if (this.#isStopped || ignored.has(event.commandName)) return;
        if (sensitive.has(event.commandName) && !entity.observeSensitiveCommands) return;
        this.events.push({
          name,
          event: event.command ? { ...event, command: copyOf(event.command) } : event,
        });
      });
    }
  }

  /** How many events of that kind match, as `waitForEvent` counts them. */
  count(expected: Document, entities: Entities): number {
    return this.events.filter((actual) => differenceOfEvent(expected, actual, "", entities) === undefined)
      .length;
  }

  stop(): void {
    this.#isStopped = true;
  }
}

function differenceOfEvent(
  expected: Document,
  actual: RecordedEvent,
  path: string,
  entities: Entities,
): string | undefined {
  const [name, fields] = Object.entries(expected)[0] as [string, Document];
  const what = actual.event.command ?? actual.event.reply ?? actual.event.failure ?? {};
  if (name !== actual.name)
    return `${path}: expected ${show(expected)}, got ${actual.name} ${actual.event.commandName ?? ""} ${show(what)}`;
  const { hasServiceId, hasServerConnectionId, ...rest } = fields;
  if (hasServiceId !== undefined && hasServiceId !== (actual.event.serviceId !== undefined))
    return `${path}.${name}: expected hasServiceId ${hasServiceId}`;
  if (
    hasServerConnectionId !== undefined &&
    hasServerConnectionId !== (typeof actual.event.serverConnectionId === "bigint")
  )
    return `${path}.${name}: expected hasServerConnectionId ${hasServerConnectionId}`;
  for (const [field, value] of Object.entries(rest)) {
    const given = actual.event[field];
    const found = difference(value, field === "command" ? withoutOwnTimeout(given, value) : given, {
      entities,
      path: `${path}.${name}.${field}`,
      isRoot: true,
    });
    if (found) return found;
  }
  return undefined;
}

/** @returns the first difference between a case's list of events for a client and what was recorded */
export function differenceOfEvents(expected: ExpectedEvents, entities: Entities): string | undefined {
  const isCommand = (expected.eventType ?? "command") === "command";
  const actual = entities
    .recorder(expected.client)
    .events.filter(({ name }) => isCommandEvent(name) === isCommand);
  const path = `events of ${expected.client}`;
  for (const [index, event] of expected.events.entries()) {
    const recorded = actual[index];
    const where = `${path}[${index}]`;
    if (!recorded) return `${where}: expected ${show(event)}, got no more events`;
    const found = differenceOfEvent(event, recorded, where, entities);
    if (found) return found;
  }
  const extra = actual[expected.events.length];
  if (!extra || expected.ignoreExtraEvents) return undefined;
  return `${path}[${expected.events.length}]: expected no more events, got ${extra.name} ${show(extra.event.command ?? extra.event.commandName)}`;
}
