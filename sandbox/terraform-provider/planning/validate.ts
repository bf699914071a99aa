import type { Problem } from "../plugin/wire.ts";
import type { Rules } from "../resource.ts";
import { type Block, elements, isUnknown, text, type Value, type Values } from "../values.ts";
import { type Place, pathOf, places, valueAt } from "./walk.ts";

/**
 * What the provider refuses in a configuration: computed attributes that are set, and everything in `rules`. Terraform
 * itself has checked names, types and required arguments.
 */
export function validate(block: Block, config: Values, rules: Rules | undefined): Problem[] {
  const problems: Problem[] = [];
  for (const place of places(block, config)) {
    if (place.value === null || isUnknown(place.value)) continue;
    const says = unconfigurable(place) ?? (rules && refusal(place, rules));
    if (says) problems.push({ ...says, ...(place.path ? { path: place.path } : {}) });
  }
  if (rules) problems.push(...groupProblems(block, config, rules));
  return problems;
}

function unconfigurable({ name, attribute }: Place): Problem | undefined {
  if (!attribute.computed || attribute.optional || attribute.required) return undefined;
  return {
    summary: "Value for unconfigurable attribute",
    detail: `Can't configure a value for "${name}": its value will be decided automatically based on the result of applying this configuration.`,
  };
}

function refusal({ name, value }: Place, rules: Rules): Problem | undefined {
  const allowed = rules.oneOf?.[name];
  const texts = Array.isArray(value) ? elements(value) : [value];
  for (const each of texts) {
    if (allowed && typeof each === "string" && !allowed.includes(each))
      return invalid(name, `expected ${name} to be one of ${JSON.stringify(allowed)}, got ${each}`);
    for (const { pattern, says } of rules.pattern?.[name] ?? [])
      if (typeof each === "string" && !pattern.test(each))
        return invalid(name, `"${name}" ${says}, got ${each}`);
  }
  const range = rules.between?.[name];
  if (range && typeof value === "number" && (value < range[0] || value > range[1]))
    return invalid(name, `expected ${name} to be in the range (${range[0]} - ${range[1]}), got ${value}`);
  if (rules.json?.includes(name) && !isJson(text(value)))
    return invalid(name, `"${name}" contains an invalid JSON`);
  return undefined;
}

function invalid(name: string, detail: string): Problem {
  return { summary: `Invalid value for ${name}`, detail };
}

function isJson(value: string | undefined): boolean {
  try {
    if (value !== undefined) JSON.parse(value);
    return true;
  } catch {
    return false;
  }
}

/** Unknown values count neither as given nor as left out: they may turn out null. */
function isGiven(value: Value): boolean {
  if (isUnknown(value)) return false;
  return Array.isArray(value) ? value.length > 0 : value !== null;
}

function groupProblems(block: Block, config: Values, rules: Rules): Problem[] {
  const problems: Problem[] = [];
  const given = (group: readonly string[]) => group.filter((name) => isGiven(valueAt(config, name)));
  // As the SDK: what isn't known yet may turn out to be null, so it is no conflict before it is known.
  const known = (group: readonly string[]) =>
    given(group).filter((name) => !isUnknown(valueAt(config, name)));
  for (const group of rules.conflicts ?? []) {
    const [first, ...others] = known(group);
    for (const other of first === undefined ? [] : others)
      problems.push({
        summary: "Conflicting configuration arguments",
        detail: `"${other}": conflicts with ${first}`,
        path: pathOf(block, other),
      });
  }
  for (const group of rules.exactlyOne ?? []) {
    const names = given(group);
    const isOpen = group.some((name) => isUnknown(valueAt(config, name)));
    if (names.length === 1 || (names.length === 0 && isOpen)) continue;
    problems.push({
      summary: "Invalid combination of arguments",
      detail: `"${group[0]}": ${names.length === 0 ? "one" : "only one"} of \`${group.join(",")}\` must be specified`,
      path: pathOf(block, names[0] ?? group[0]!),
    });
  }
  for (const { path, says } of rules.check?.(config) ?? [])
    problems.push({ ...invalid(path, says), path: pathOf(block, path) });
  return problems;
}
