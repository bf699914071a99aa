import { ServerError } from "../errors.ts";
import { compileFilter, type FilterContext, type Predicate } from "../match/index.ts";
import type { Document, Value } from "../value.ts";

/** The identifiers a filter speaks of: first components of its paths. */
function identifiersOf(filter: Document, into: Set<string>): void {
  for (const [name, value] of filter) {
    if (!name.startsWith("$")) into.add(name.split(".")[0]!);
    else if (Array.isArray(value)) {
      for (const element of value) if (element instanceof Map) identifiersOf(element, into);
    }
  }
}

function identifierOf(filter: Document): string {
  const found = new Set<string>();
  identifiersOf(filter, found);
  const [identifier, another] = found;
  if (identifier === undefined) {
    throw new ServerError(
      "FailedToParse",
      "Cannot use an expression without a top-level field name in arrayFilters",
    );
  }
  if (another !== undefined) {
    throw new ServerError(
      "FailedToParse",
      `Error parsing array filter :: caused by :: Expected a single top-level field name, found '${identifier}' and '${another}'`,
    );
  }
  if (!/^[a-z][a-zA-Z0-9]*$/.test(identifier)) {
    throw new ServerError(
      "BadValue",
      "Error parsing array filter :: caused by :: The top-level field name must be an alphanumeric string beginning with a " +
        `lowercase letter, found '${identifier}'`,
    );
  }
  return identifier;
}

/**
 * Compiles array filters; each takes an element wrapped as `{<identifier>: element}`.
 * @throws ServerError FailedToParse, BadValue
 */
export function compileArrayFilters(filters: Value[], context: FilterContext): Map<string, Predicate> {
  const compiled = new Map<string, Predicate>();
  for (const filter of filters) {
    if (!(filter instanceof Map)) {
      throw new ServerError(
        "TypeMismatch",
        "BSON field 'update.updates.arrayFilters.0' is the wrong type, expected type 'object'",
      );
    }
    const predicate = compileFilter(filter, context);
    const identifier = identifierOf(filter);
    if (compiled.has(identifier)) {
      throw new ServerError(
        "FailedToParse",
        `Found multiple array filters with the same top-level field name ${identifier}`,
      );
    }
    compiled.set(identifier, predicate);
  }
  return compiled;
}
