import { type Failure, RoundtripError } from "../../core/errors.ts";
import type { StateLockInfo } from "./lock-holder.ts";
import { type Diagnostic, diagnosticText } from "./messages.ts";

/** The state is locked, and by whom. */
export class StateLocked extends RoundtripError {
  constructor(
    what: string,
    readonly lock: StateLockInfo,
  ) {
    super({
      kind: "refused",
      what,
      expected: "the state to be free",
      got: `lock ${lock.id}, held by ${lock.who} since ${lock.created} for ${lock.operation}`,
      wayOut:
        "wait until that run has ended and run this again; where its process is dead, `roundtrip unlock --env NAME` proves it and frees the lock",
    });
  }
}

/** AWS has objects already that Terraform's state doesn't know: an earlier run that was killed made them, or somebody else. */
export class ObjectsExist extends RoundtripError {
  constructor(
    failure: Failure,
    readonly addresses: readonly string[],
  ) {
    super(failure);
  }
}

/** A plan was to import objects that AWS doesn't have. */
export class ObjectsMissing extends RoundtripError {
  constructor(
    failure: Failure,
    readonly addresses: readonly string[],
  ) {
    super(failure);
  }
}

/**
 * How AWS's services word it: EntityAlreadyExists, ResourceExistsException, "Function already exist", InvalidGroup.Duplicate,
 * RouteAlreadyExists; an endpoint whose DNS name is taken.
 */
const exists =
  /AlreadyExist|already exist|AlreadyOwnedByYou|ResourceExists|\.Duplicate|conflicting DNS domain/;

const shownMax = 10;

/**
 * What a failed Terraform command comes to, in the product's words. It is judged by what Terraform really said: a sensitive value may
 * be a word of an address, too. Only what is told goes through `clean`, which blanks such values out.
 */
export function terraformFailure(
  what: string,
  diagnostics: readonly Diagnostic[],
  ended: { readonly exitCode: number | null; readonly stderr: readonly string[] },
  clean: (text: string) => string,
): RoundtripError {
  const errors = diagnostics.filter(({ severity }) => severity === "error");
  const locked = errors.find(({ summary }) => summary.includes("Error acquiring the state lock"));
  if (locked) return new StateLocked(what, lockIn(locked.detail));
  const known = errors.map((error) => special(what, error)).find((failure) => failure !== undefined);
  if (known) return new RoundtripError(known);
  const said = errors.slice(0, shownMax).map((error) => clean(diagnosticText(error)));
  if (errors.length > shownMax) said.push(`and ${errors.length - shownMax} more`);
  const how = ended.exitCode === null ? "a signal" : `exit code ${ended.exitCode}`;
  const existing = errors.filter(({ summary, detail }) => exists.test(`${summary} ${detail}`));
  const failure: Failure = {
    kind: kindOf(errors),
    what,
    expected: "Terraform to succeed",
    got: said.length > 0 ? said.join("; ") : [how, ...ended.stderr].join("; "),
    wayOut: existing.length > 0 ? importByHand(addressesOf(existing)) : wayOut,
  };
  const missing = errors.filter(({ summary }) => summary === "Cannot import non-existent remote object");
  if (missing.length > 0) return new ObjectsMissing(failure, missing.flatMap(importedAddress));
  if (existing.length === 0) return new RoundtripError(failure);
  return new ObjectsExist(failure, addressesOf(existing));
}

function addressesOf(diagnostics: readonly Diagnostic[]): string[] {
  return diagnostics.flatMap(({ where }) => where ?? []);
}

const wayOut = "mend what is named and run this again; nothing that was already done is done twice";

/** Terraform names it in its sentence, in Go's quotes: … import an existing object to "ADDRESS", the provider detected … */
function importedAddress({ where, detail }: Diagnostic): string[] {
  const named = /existing object to (".+"), the provider/.exec(detail.replace(/\s+/g, " "))?.[1];
  return [named === undefined ? (where ?? "") : (JSON.parse(named) as string)].filter(Boolean);
}

/** How what exists is taken over by hand; `ids` are what the provider imports it by, where that is known. */
export function importByHand(
  addresses: readonly string[],
  ids: ReadonlyMap<string, string> = new Map(),
): string {
  const commands = addresses.map((address) => `terraform import '${address}' '${ids.get(address) ?? "ID"}'`);
  return `an earlier run that was killed may have made what exists: where it is this environment's own, ${commands.join("; ")}; else give it another name. Then run this again`;
}

function kindOf(errors: readonly Diagnostic[]): Failure["kind"] {
  const all = errors.map(diagnosticText).join("\n");
  if (/AccessDenied|UnauthorizedOperation|not authorized|InvalidClientTokenId|ExpiredToken|403/.test(all))
    return "denied";
  if (/no answer from|connection refused|timeout|Throttling|Service ?Unavailable|status 50\d/i.test(all))
    return "unavailable";
  return "configuration";
}

function special(what: string, { summary }: Diagnostic): Failure | undefined {
  if (/Saved plan is stale|Saved plan does not match the given state/.test(summary))
    return {
      kind: "refused",
      what,
      expected: "the state the plan was made from",
      got: "a state that has changed since: the plan is stale",
      wayOut: "plan again and have that plan reviewed",
    };
  return undefined;
}

/** Terraform words the lock's holder as `Name: value` lines. */
function lockIn(detail: string): StateLockInfo {
  const field = (name: string) =>
    new RegExp(`^\\s*${name}:\\s*(.+)$`, "m").exec(detail)?.[1]?.trim() ?? "unknown";
  return { id: field("ID"), who: field("Who"), created: field("Created"), operation: field("Operation") };
}
