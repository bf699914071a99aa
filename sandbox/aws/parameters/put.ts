import { flag, type Input, optionalText, requiredText, tagsOf } from "../input.ts";
import { AwsError, type RequestContext } from "../service.ts";
import { checkName, checkPattern, tierOf } from "./rules.ts";
import type { ParameterStore, ParameterVersion } from "./store.ts";

const types = ["String", "StringList", "SecureString"];

const tiers = ["Standard", "Advanced", "Intelligent-Tiering"];

export function put(store: ParameterStore, input: Input, context: RequestContext): object {
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
