import { createHash } from "node:crypto";
import {
  flag,
  type Input,
  objectList,
  optionalText,
  pageOf,
  requiredText,
  tagList,
  tagsOf,
  textList,
} from "../input.ts";
import { AwsError, type JsonService, type RequestContext, type Service } from "../service.ts";
import { checkName, checkPattern, tierOf } from "./rules.ts";
import { ParameterStore, type ParameterVersion } from "./store.ts";

const types = ["String", "StringList", "SecureString"];
const tiers = ["Standard", "Advanced", "Intelligent-Tiering"];

function arn({ region, account }: RequestContext, name: string): string {
  return `arn:aws:ssm:${region}:${account}:parameter/${name.replace(/^\//, "")}`;
}

/** What a SecureString shows without decryption: text that says nothing about the value. */
function ciphertext({ name, version, value }: ParameterVersion): string {
  return `AQICAH${createHash("sha512").update(`${name}\0${version}\0${value}`).digest("base64")}`;
}

function described(
  parameter: ParameterVersion,
  context: RequestContext,
  decrypt: boolean,
  selector?: string,
): object {
  const hidden = parameter.type === "SecureString" && !decrypt;
  return {
    Name: parameter.name,
    Type: parameter.type,
    Value: hidden ? ciphertext(parameter) : parameter.value,
    Version: parameter.version,
    Selector: selector,
    LastModifiedDate: new Date(parameter.modified),
    ARN: arn(context, parameter.name),
    DataType: parameter.dataType,
  };
}

function metadata(parameter: ParameterVersion, context: RequestContext): object {
  return {
    Name: parameter.name,
    ARN: arn(context, parameter.name),
    Type: parameter.type,
    KeyId: parameter.keyId ?? undefined,
    LastModifiedDate: new Date(parameter.modified),
    LastModifiedUser: parameter.user,
    Description: parameter.description ?? undefined,
    AllowedPattern: parameter.pattern ?? undefined,
    Version: parameter.version,
    Tier: parameter.tier,
    Policies: [],
    DataType: parameter.dataType,
  };
}

/** Resolves `name`, `name:version`, or an ARN. */
function find(store: ParameterStore, given: string): { parameter?: ParameterVersion; selector?: string } {
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

function notFound(name: string): AwsError {
  return new AwsError("ParameterNotFound", `Parameter ${name} not found.`);
}

function put(store: ParameterStore, input: Input, context: RequestContext): object {
  const name = requiredText(input, "Name");
  checkName(name);
  const value = optionalText(input, "Value") ?? "";
  const current = store.latest(name);
  const overwrite = flag(input, "Overwrite");
  if (current !== undefined && !overwrite) {
    throw new AwsError(
      "ParameterAlreadyExists",
      "The parameter already exists. To overwrite this value, set the overwrite option in the request to true.",
    );
  }
  const type = optionalText(input, "Type") ?? current?.type;
  if (type === undefined || !types.includes(type)) {
    throw new AwsError(
      "ValidationException",
      `A parameter type is required when you create a parameter: one of ${types.join(", ")}.`,
    );
  }
  if (current !== undefined && current.type !== type) {
    throw new AwsError(
      "HierarchyTypeMismatchException",
      `Parameter Store doesn't support changing a parameter's type: ${name} is a ${current.type}.`,
    );
  }
  const tags = tagsOf(input);
  if (overwrite && Object.keys(tags).length > 0) {
    throw new AwsError(
      "ValidationException",
      "Invalid request: tags and overwrite can't be used together. To create a parameter with tags, please remove overwrite flag.",
    );
  }
  const tier = optionalText(input, "Tier") ?? current?.tier ?? "Standard";
  if (!tiers.includes(tier))
    throw new AwsError("ValidationException", `expected Tier one of ${tiers.join(", ")}, got ${tier}`);
  const pattern = optionalText(input, "AllowedPattern");
  checkPattern(pattern, value);
  const next: ParameterVersion = {
    name,
    version: (current?.version ?? 0) + 1,
    type,
    value,
    keyId: type === "SecureString" ? (optionalText(input, "KeyId") ?? "alias/aws/ssm") : null,
    description: optionalText(input, "Description") ?? current?.description ?? null,
    pattern: pattern ?? null,
    tier: tierOf(tier, value),
    dataType: optionalText(input, "DataType") ?? "text",
    modified: context.now().getTime(),
    user: context.accessKeyId,
  };
  store.add(next);
  if (Object.keys(tags).length > 0) store.setTags(`Parameter/${name}`, tags);
  return { Version: next.version, Tier: next.tier };
}

function byPath(store: ParameterStore, input: Input, context: RequestContext): object {
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

function applyFilters(parameters: ParameterVersion[], input: Input): ParameterVersion[] {
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

function getMany(store: ParameterStore, input: Input, context: RequestContext): object {
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

function history(store: ParameterStore, input: Input, context: RequestContext): object {
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

class ParameterService implements JsonService {
  readonly kind = "json";
  readonly name = "ssm";
  readonly targetPrefix = "AmazonSSM";
  private store!: ParameterStore;

  start({ db }: { db: ConstructorParameters<typeof ParameterStore>[0] }): void {
    this.store = new ParameterStore(db);
  }

  readonly operations: JsonService["operations"] = {
    PutParameter: (input, context) => put(this.store, input, context),
    GetParameter: (input, context) => {
      const name = requiredText(input, "Name");
      const { parameter, selector } = find(this.store, name);
      if (parameter === undefined) throw notFound(name);
      return { Parameter: described(parameter, context, flag(input, "WithDecryption"), selector) };
    },
    GetParameters: (input, context) => getMany(this.store, input, context),
    GetParametersByPath: (input, context) => byPath(this.store, input, context),
    GetParameterHistory: (input, context) => history(this.store, input, context),
    DescribeParameters: (input, context) => {
      const { page, NextToken } = pageOf(applyFilters(this.store.all(), input), input, 50);
      return { Parameters: page.map((each) => metadata(each, context)), NextToken };
    },
    DeleteParameter: (input) => {
      const name = requiredText(input, "Name");
      if (!this.store.remove(name)) throw notFound(name);
      return {};
    },
    DeleteParameters: (input) => {
      const names = textList(input, "Names");
      const deleted = names.filter((name) => this.store.remove(name));
      return {
        DeletedParameters: deleted,
        InvalidParameters: names.filter((name) => !deleted.includes(name)),
      };
    },
    AddTagsToResource: (input) => {
      const resource = this.resource(input);
      this.store.setTags(resource, { ...this.store.tags(resource), ...tagsOf(input) });
      return {};
    },
    RemoveTagsFromResource: (input) => {
      const resource = this.resource(input);
      const removed = textList(input, "TagKeys");
      const kept = Object.entries(this.store.tags(resource)).filter(([key]) => !removed.includes(key));
      this.store.setTags(resource, Object.fromEntries(kept));
      return {};
    },
    ListTagsForResource: (input) => ({ TagList: tagList(this.store.tags(this.resource(input))) }),
  };

  /** Tags of documents and instances are kept as well; only a parameter's existence is checked. */
  private resource(input: Input): string {
    const type = requiredText(input, "ResourceType");
    const id = requiredText(input, "ResourceId");
    if (type === "Parameter" && this.store.latest(id) === undefined)
      throw new AwsError("InvalidResourceId", `no parameter ${id}`);
    return `${type}/${id}`;
  }
}

/** SSM Parameter Store. Shares the target prefix with the commands and documents of `../ssm`. */
export function create(): Service[] {
  return [new ParameterService()];
}
