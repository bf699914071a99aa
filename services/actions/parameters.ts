import { type ActionMetadata, actionCatalog } from "../../core/actions/catalog.ts";
import { type ActionParameter, failbackParameter } from "../../core/actions/parameter.ts";
import { RoundtripError } from "../../core/errors.ts";
import type { Arguments, OptionDefinition } from "../runtime/definition.ts";

const failbackOption = "failback";

/** The action of that name. Fails `usage` listing those there are. */
export function findAction(name: string | undefined): ActionMetadata {
  const found = (actionCatalog as readonly ActionMetadata[]).find((action) => action.name === name);
  if (found) return found;
  throw usage("name an action", actionCatalog.map((action) => action.name).join(", "), name ?? "none");
}

/** Every option any action takes, for the command line's parser. */
export function actionOptions(): Record<string, OptionDefinition> {
  const options: Record<string, OptionDefinition> = {
    [failbackOption]: { type: "string", value: "id", description: failbackParameter.description },
  };
  for (const { parameters } of actionCatalog) {
    for (const { name, description } of parameters as readonly ActionParameter[]) {
      options[name] = { type: "string", description };
    }
  }
  return options;
}

export interface ActionArguments {
  /** Empty for an action that belongs to no failback. */
  readonly failbackId: string;
  readonly values: ReadonlyMap<string, string>;
}

/**
 * Reads the action's own parameters and holds them to the same patterns as its SSM document, so that a call from a
 * shell is as safe as one through SSM. Fails `usage` naming the parameter.
 */
export function readParameters(action: ActionMetadata, given: Arguments): ActionArguments {
  const known = new Set([
    ...action.parameters.map(({ name }) => name),
    ...(action.failback ? [failbackOption] : []),
  ]);
  for (const name of Object.keys(actionOptions())) {
    if (!known.has(name) && given.text(name) !== undefined) {
      throw usage(`call action ${action.name}`, `only --${[...known].join(", --")}`, `--${name}`);
    }
  }
  const values = new Map<string, string>();
  for (const parameter of action.parameters) {
    values.set(parameter.name, checked(action, parameter, given.text(parameter.name)));
  }
  const failbackId = action.failback
    ? checked(action, { ...failbackParameter, name: failbackOption }, given.text(failbackOption))
    : "";
  return { failbackId, values };
}

function checked(action: ActionMetadata, parameter: ActionParameter, given: string | undefined): string {
  const value = given ?? parameter.default;
  const { allowedPattern, allowedValues } = parameter;
  const expected = allowedValues ? `one of ${allowedValues.join(", ")}` : `text like ${allowedPattern}`;
  const what = `read parameter --${parameter.name} of action ${action.name}`;
  if (value === undefined) throw usage(what, expected, "nothing");
  const fits = allowedValues
    ? allowedValues.includes(value)
    : !allowedPattern || new RegExp(allowedPattern).test(value);
  if (!fits) throw usage(what, expected, JSON.stringify(value));
  return value;
}

function usage(what: string, expected: string, got: string): RoundtripError {
  return new RoundtripError({
    kind: "usage",
    what,
    expected,
    got,
    wayOut: "see roundtrip-worker action --help",
  });
}
