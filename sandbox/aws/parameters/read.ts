import { flag, type Input, objectList, optionalText, pageOf, requiredText, textList } from "../input.ts";
import { AwsError, type RequestContext } from "../service.ts";
import { described, metadata } from "./describe.ts";
import type { ParameterStore, ParameterVersion } from "./store.ts";

/** Resolves `name`, `name:version`, or an ARN. */
export function find(
  store: ParameterStore,
  given: string,
): { parameter?: ParameterVersion; selector?: string } {
  const plain = given.replace(/^arn:aws:ssm:[^:]*:[^:]*:parameter/, "");
  const colon = plain.indexOf(":");
  const name = colon < 0 ? plain : plain.slice(0, colon);
  const latest = store.latest(name) ?? (given.startsWith("arn:") ? store.latest(name.slice(1)) : undefined);
  if (latest === undefined || colon < 0) return { parameter: latest };
  const selector = plain.slice(colon);
  const version = store.versions(latest.name).find((each) => String(each.version) === selector.slice(1));
  if (version === undefined)
    throw new AwsError(
      "ParameterVersionNotFound",
      `Systems Manager could not find version ${selector.slice(1)} of ${name}.`,
    );
  return { parameter: version, selector };
}

export function notFound(name: string): AwsError {
  return new AwsError("ParameterNotFound", `Parameter ${name} not found.`);
}

export function byPath(store: ParameterStore, input: Input, context: RequestContext): object {
  const given = requiredText(input, "Path");
  if (!given.startsWith("/"))
    throw new AwsError(
      "ValidationException",
      'The parameter doesn\'t meet the parameter name requirements. The parameter name must begin with a forward slash "/".',
    );
  const path = given.endsWith("/") ? given : `${given}/`;
  const recursive = flag(input, "Recursive");
  const filtered = applyFilters(store.all(), input);
  const below = filtered.filter(
    ({ name }) => name.startsWith(path) && (recursive || !name.slice(path.length).includes("/")),
  );
  const { page, NextToken } = pageOf(below, input, 10);
  return {
    Parameters: page.map((each) => described(each, context, flag(input, "WithDecryption"))),
    NextToken,
  };
}

export function applyFilters(parameters: ParameterVersion[], input: Input): ParameterVersion[] {
  const filters = [...objectList(input, "ParameterFilters"), ...objectList(input, "Filters")];
  return filters.reduce<ParameterVersion[]>((rest, filter) => {
    const key = requiredText(filter, "Key");
    const values = textList(filter, "Values");
    const option = optionalText(filter, "Option") ?? "Equals";
    const field = (each: ParameterVersion): string =>
      key === "Name"
        ? each.name
        : key === "Type"
          ? each.type
          : key === "KeyId"
            ? (each.keyId ?? "")
            : each.tier;
    if (!["Name", "Type", "KeyId", "Tier"].includes(key))
      throw new AwsError("InvalidFilterKey", `the stand-in has no filter ${key}`);
    return rest.filter((each) =>
      values.some((value) =>
        option === "Equals"
          ? field(each) === value
          : option === "BeginsWith"
            ? field(each).startsWith(value)
            : field(each).includes(value),
      ),
    );
  }, parameters);
}

export function getMany(store: ParameterStore, input: Input, context: RequestContext): object {
  const names = textList(input, "Names");
  if (names.length < 1 || names.length > 10)
    throw new AwsError("ValidationException", `expected 1 to 10 names, got ${names.length}`);
  const found = names.map((name) => ({ name, ...find(store, name) }));
  return {
    Parameters: found.flatMap(({ parameter, selector }) =>
      parameter === undefined ? [] : [described(parameter, context, flag(input, "WithDecryption"), selector)],
    ),
    InvalidParameters: found.filter(({ parameter }) => parameter === undefined).map(({ name }) => name),
  };
}

export function history(store: ParameterStore, input: Input, context: RequestContext): object {
  const name = requiredText(input, "Name");
  const versions = store.versions(name);
  if (versions.length === 0) throw notFound(name);
  const { page, NextToken } = pageOf(versions, input, 50);
  const decrypt = flag(input, "WithDecryption");
  return {
    Parameters: page.map((each) => ({
      ...metadata(each, context),
      ...described(each, context, decrypt),
      ARN: undefined,
      Labels: [],
    })),
    NextToken,
  };
}
