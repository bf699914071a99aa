import { randomUUID } from "node:crypto";
import { AwsError } from "./service.ts";

/** What an armed fault does to the request that matches it. */
export type FaultAction =
  | { readonly status: number; readonly code: string }
  | { readonly delayMs: number }
  | { readonly reset: true }
  | { readonly okWithError: string }
  | { readonly kill: string; readonly answer?: boolean };

/** One armed fault. Fields left out match every request; `nth` counts matches from 1, `times` the firings after it. */
export interface Fault {
  readonly id: string;
  readonly service?: string;
  readonly operation?: string;
  readonly keyPattern?: string;
  readonly caller?: string;
  readonly nth: number;
  readonly times: number | "unlimited";
  readonly when: "before" | "after";
  readonly action: FaultAction;
}

/** What a fault is matched against. */
export interface Subject {
  readonly service: string;
  readonly operation: string;
  readonly key: string;
  readonly caller: string;
}

interface Armed {
  readonly fault: Fault;
  readonly pattern: RegExp | undefined;
  matches: number;
  fired: number;
}

function parseAction(value: unknown): FaultAction {
  const action = (value ?? {}) as Record<string, unknown>;
  if (typeof action.delayMs === "number" && action.delayMs >= 0) return { delayMs: action.delayMs };
  if (action.reset === true) return { reset: true };
  if (typeof action.okWithError === "string") return { okWithError: action.okWithError };
  if (typeof action.kill === "string") return { kill: action.kill, answer: action.answer === true };
  if (typeof action.status === "number" && typeof action.code === "string") {
    return { status: action.status, code: action.code };
  }
  throw new AwsError(
    "ValidationException",
    `expected action {status, code}, {delayMs}, {reset: true}, {okWithError} or {kill}, got ${JSON.stringify(value)}`,
  );
}

function optionalText(input: Record<string, unknown>, name: string): string | undefined {
  const value = input[name];
  if (value === undefined || value === null || typeof value === "string") return value ?? undefined;
  throw new AwsError("ValidationException", `expected ${name} to be text, got ${JSON.stringify(value)}`);
}

const known = ["id", "service", "operation", "keyPattern", "caller", "nth", "times", "when", "action"];

/** Reads a fault as POSTed. An unknown field is an error: a fault that silently never fires proves nothing. */
export function parseFault(value: unknown): Fault {
  const input = (value ?? {}) as Record<string, unknown>;
  const unknown = Object.keys(input).filter((name) => !known.includes(name));
  if (unknown.length > 0)
    throw new AwsError(
      "ValidationException",
      `unknown field ${unknown.join(", ")}; expected ${known.join(", ")}`,
    );
  const nth = input.nth ?? 1;
  const times = input.times ?? 1;
  const when = input.when ?? "before";
  if (typeof nth !== "number" || !Number.isInteger(nth) || nth < 1)
    throw new AwsError("ValidationException", `expected nth >= 1, got ${JSON.stringify(nth)}`);
  if (times !== "unlimited" && (typeof times !== "number" || times < 1))
    throw new AwsError(
      "ValidationException",
      `expected times >= 1 or "unlimited", got ${JSON.stringify(times)}`,
    );
  if (when !== "before" && when !== "after")
    throw new AwsError(
      "ValidationException",
      `expected when "before" or "after", got ${JSON.stringify(when)}`,
    );
  return {
    id: optionalText(input, "id") ?? randomUUID(),
    service: optionalText(input, "service"),
    operation: optionalText(input, "operation"),
    keyPattern: optionalText(input, "keyPattern"),
    caller: optionalText(input, "caller"),
    nth,
    times,
    when,
    action: parseAction(input.action),
  };
}

/** The armed faults. Kept in memory on purpose: a stand-in that comes back after kill -9 has none armed. */
export class Faults {
  private armed: Armed[] = [];

  arm(fault: Fault): void {
    this.clear(fault.id);
    const pattern = fault.keyPattern === undefined ? undefined : new RegExp(fault.keyPattern);
    this.armed.push({ fault, pattern, matches: 0, fired: 0 });
  }

  /** Disarms one fault, or all. Gives how many there were. */
  clear(id?: string): number {
    const before = this.armed.length;
    this.armed = id === undefined ? [] : this.armed.filter((each) => each.fault.id !== id);
    return before - this.armed.length;
  }

  list(): (Fault & { matches: number; fired: number })[] {
    return this.armed.map(({ fault, matches, fired }) => ({ ...fault, matches, fired }));
  }

  /** Counts the request against every armed fault and gives those that fire on it, in the order they were armed. */
  match(subject: Subject): Fault[] {
    if (this.armed.length === 0) return [];
    const firing: Fault[] = [];
    for (const each of this.armed) {
      if (!this.applies(each, subject)) continue;
      each.matches += 1;
      const { nth, times } = each.fault;
      if (each.matches < nth || (times !== "unlimited" && each.matches >= nth + times)) continue;
      each.fired += 1;
      firing.push(each.fault);
    }
    return firing;
  }

  private applies({ fault, pattern }: Armed, subject: Subject): boolean {
    return (
      (fault.service === undefined || fault.service === subject.service) &&
      (fault.operation === undefined || fault.operation === subject.operation) &&
      (fault.caller === undefined || fault.caller === subject.caller) &&
      (pattern === undefined || pattern.test(subject.key))
    );
  }
}
