/** aws_ssm_parameter */
import type { Context, DataSource, Resource } from "../../resource.ts";
import { isUnknown, sameValue, text, type Value, type Values } from "../../values.ts";
import { tagList } from "../tags.ts";
import { type Answer, ssm, ssmTags, unless, updateSsmTags } from "./api.ts";

function known(value: Value | undefined): Value | undefined {
  return value === null || isUnknown(value) ? undefined : value;
}

function input(planned: Values, config: Values): object {
  return {
    Name: planned.name,
    Type: planned.type,
    Value: known(planned.value) ?? known(planned.insecure_value) ?? text(config.value_wo),
    Description: known(planned.description),
    AllowedPattern: known(planned.allowed_pattern),
    KeyId: known(planned.key_id),
    Tier: known(planned.tier),
    DataType: known(planned.data_type),
  };
}

async function metadata(context: Context, state: Values): Promise<Answer> {
  const ParameterFilters = [{ Key: "Name", Option: "Equals", Values: [state.id] }];
  const answer = await ssm(context, state, "DescribeParameters", { ParameterFilters });
  return ((answer.Parameters ?? []) as Answer[])[0] ?? {};
}

/** The arguments that hold the value: exactly one is in use, the others stay empty. */
function valueArguments(state: Values, type: string, value: string): Values {
  if (state.has_value_wo === true) return { value: null, insecure_value: null };
  const insecure = typeof state.insecure_value === "string" && type !== "SecureString";
  return insecure ? { insecure_value: value, value } : { value, insecure_value: null };
}

export const parameter: Resource = {
  rules: {
    source: "github.com/hashicorp/terraform-provider-aws internal/service/ssm/parameter.go",
    forceNew: ["name", "type"],
    oneOf: {
      type: ["String", "StringList", "SecureString"],
      tier: ["Standard", "Advanced", "Intelligent-Tiering"],
      data_type: ["text", "aws:ec2:image", "aws:ssm:integration"],
    },
    // AWS shows the tier it chose.
    sameAs: { tier: (_before, after) => after === "Intelligent-Tiering" },
    exactlyOne: [["value", "insecure_value", "value_wo"]],
    recomputed: { version: ["value", "insecure_value", "value_wo_version"] },
    pattern: {
      name: [{ pattern: /^.{1,2048}$/s, says: "must be 1 to 2048 characters" }],
      description: [{ pattern: /^.{0,1024}$/s, says: "must be no longer than 1024 characters" }],
    },
  },
  async create({ planned, config }, context) {
    await ssm(context, planned, "PutParameter", {
      ...input(planned, config),
      ...(planned.overwrite === true ? { Overwrite: true } : { Tags: tagList(planned) }),
    });
    return {
      id: planned.name ?? null,
      has_value_wo: text(config.value_wo) === undefined ? null : true,
    };
  },
  async read(state, context) {
    const Name = state.id;
    const answer = await unless(
      "ParameterNotFound",
      ssm(context, state, "GetParameter", { Name, WithDecryption: true }),
    );
    if (!answer) return undefined;
    const found = answer.Parameter as Answer;
    const more = await metadata(context, state);
    return {
      id: String(found.Name),
      name: String(found.Name),
      arn: String(found.ARN),
      type: String(found.Type),
      version: Number(found.Version),
      data_type: String(found.DataType),
      tier: String(more.Tier ?? "Standard"),
      description: text(more.Description as Value) ?? state.description ?? null,
      allowed_pattern: text(more.AllowedPattern as Value) ?? state.allowed_pattern ?? null,
      key_id: text(more.KeyId as Value) ?? null,
      ...valueArguments(state, String(found.Type), String(found.Value)),
      ...(await ssmTags(context, state, "Parameter", String(found.Name))),
    };
  },
  async update({ prior, planned, config }, context) {
    const ignored = ["tags", "tags_all", "overwrite", "version"];
    const changed = Object.keys(planned).some(
      (name) => !ignored.includes(name) && !sameValue(prior[name], planned[name]),
    );
    if (changed) await ssm(context, prior, "PutParameter", { ...input(planned, config), Overwrite: true });
    await updateSsmTags(context, prior, planned, "Parameter");
    return undefined;
  },
  async delete(state, context) {
    await unless("ParameterNotFound", ssm(context, state, "DeleteParameter", { Name: state.id }));
  },
};

export const parameterData: DataSource = {
  async read(config, context) {
    const WithDecryption = config.with_decryption !== false;
    const answer = await ssm(context, config, "GetParameter", { Name: config.name, WithDecryption });
    const found = answer.Parameter as Answer;
    const value = String(found.Value);
    return {
      id: String(found.Name),
      arn: String(found.ARN),
      type: String(found.Type),
      value,
      insecure_value: found.Type === "SecureString" ? null : value,
      version: Number(found.Version),
    };
  },
};
