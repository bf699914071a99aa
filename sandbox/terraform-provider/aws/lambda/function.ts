/** aws_lambda_function */
import { readFileSync } from "node:fs";
import type { Change, Context, Resource } from "../../resource.ts";
import { elements, isObject, isUnknown, sameValue, text, type Value, type Values } from "../../values.ts";
import { allTags, readTags } from "../tags.ts";
import { waitFor } from "../wait.ts";
import { type Answer, isNotFound, lambda } from "./api.ts";

function given(value: Value | undefined): Value | undefined {
  return value === null || isUnknown(value) ? undefined : value;
}

function firstOf(values: Values, name: string): Values | undefined {
  const [block] = elements(values[name]);
  return isObject(block) ? block : undefined;
}

function code(planned: Values): object {
  const file = text(planned.filename);
  if (file !== undefined) return { ZipFile: readFileSync(file).toString("base64") };
  return {
    S3Bucket: planned.s3_bucket,
    S3Key: planned.s3_key,
    ...(text(planned.s3_object_version) ? { S3ObjectVersion: planned.s3_object_version } : {}),
  };
}

function configuration(planned: Values): Record<string, unknown> {
  const vpc = firstOf(planned, "vpc_config");
  return {
    Role: planned.role,
    Handler: given(planned.handler),
    Runtime: given(planned.runtime),
    Description: planned.description ?? "",
    Timeout: planned.timeout,
    MemorySize: planned.memory_size,
    Environment: { Variables: firstOf(planned, "environment")?.variables ?? {} },
    KMSKeyArn: given(planned.kms_key_arn),
    VpcConfig: vpc ? { SubnetIds: vpc.subnet_ids, SecurityGroupIds: vpc.security_group_ids } : undefined,
  };
}

const codeArguments = [
  ...[
    "filename",
    "s3_bucket",
    "s3_key",
    "s3_object_version",
    "source_code_hash",
    "image_uri",
    "architectures",
  ],
];
const configurationArguments = [
  ...["role", "handler", "runtime", "description", "timeout", "memory_size", "environment", "kms_key_arn"],
  ...["vpc_config"],
];

/** Changes are refused while an earlier one is under way. */
async function settle(state: Values, context: Context): Promise<void> {
  const name = String(state.function_name);
  await waitFor(`waiting for Lambda Function (${name})`, async () => {
    const found = await lambda(context, state, "GetFunctionConfiguration", "GET", `/${name}/configuration`);
    return found.State === "Active" && found.LastUpdateStatus === "Successful" ? true : undefined;
  });
}

async function update({ prior, planned }: Change, context: Context): Promise<Values | undefined> {
  const path = `/${String(prior.function_name)}`;
  const changed = (names: readonly string[]) => names.some((name) => !sameValue(prior[name], planned[name]));
  if (changed(configurationArguments)) {
    const input = configuration(planned);
    await lambda(context, prior, "UpdateFunctionConfiguration", "PUT", `${path}/configuration`, input);
    await settle(prior, context);
  }
  if (changed(codeArguments)) {
    await lambda(context, prior, "UpdateFunctionCode", "PUT", `${path}/code`, code(planned));
    await settle(prior, context);
  }
  return undefined;
}

export const lambdaFunction: Resource = {
  rules: {
    source: "github.com/hashicorp/terraform-provider-aws internal/service/lambda/function.go",
    forceNew: ["function_name", "package_type"],
    defaults: {
      memory_size: 128,
      package_type: "Zip",
      publish: false,
      reserved_concurrent_executions: -1,
      skip_destroy: false,
      timeout: 3,
    },
    oneOf: { package_type: ["Zip", "Image"] },
    between: { memory_size: [128, 10240], timeout: [1, 900] },
    pattern: {
      function_name: [
        {
          pattern: /^[\w-]{1,64}$|^arn:aws[\w-]*:lambda:/,
          says: "must be a valid Lambda function name or ARN",
        },
      ],
    },
    exactlyOne: [["filename", "image_uri", "s3_bucket"]],
    recomputed: {
      last_modified: [...codeArguments, ...configurationArguments],
      code_sha256: codeArguments,
      source_code_size: codeArguments,
    },
  },
  async create({ planned }, context) {
    await lambda(context, planned, "CreateFunction", "POST", "", {
      FunctionName: planned.function_name,
      PackageType: planned.package_type,
      ...configuration(planned),
      Architectures: given(planned.architectures),
      Code: code(planned),
      Tags: allTags(planned),
    });
    return { id: planned.function_name ?? null };
  },
  settle,
  async read(state, context) {
    const name = String(state.id);
    let answer: Answer;
    try {
      answer = await lambda(context, state, "GetFunction", "GET", `/${name}`);
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
    const found = answer.Configuration as Answer;
    const arn = String(found.FunctionArn);
    const variables = (found.Environment as Answer | undefined)?.Variables as Values | undefined;
    const hasVariables = variables !== undefined && Object.keys(variables).length > 0;
    const hash = String(found.CodeSha256);
    const ownHash = text(state.source_code_hash);
    return {
      id: name,
      arn,
      function_name: String(found.FunctionName),
      role: String(found.Role),
      package_type: (found.PackageType as string | undefined) ?? "Zip",
      handler: (found.Handler as string | undefined) ?? null,
      runtime: (found.Runtime as string | undefined) ?? null,
      description: (found.Description as string | undefined) || (state.description ?? null),
      timeout: Number(found.Timeout),
      memory_size: Number(found.MemorySize),
      architectures: (found.Architectures ?? []) as string[],
      environment: hasVariables ? [{ variables }] : elements(state.environment),
      code_sha256: hash,
      // A base64 SHA-256, the usual form, is compared with what runs; any other text is the configuration's own.
      source_code_hash: ownHash === undefined || isSha256(ownHash) ? hash : ownHash,
      source_code_size: Number(found.CodeSize),
      last_modified: String(found.LastModified),
      version: String(found.Version),
      qualified_arn: `${arn}:${String(found.Version)}`,
      invoke_arn: `arn:aws:apigateway:${context.region}:lambda:path/2015-03-31/functions/${arn}/invocations`,
      qualified_invoke_arn: `arn:aws:apigateway:${context.region}:lambda:path/2015-03-31/functions/${arn}:${String(found.Version)}/invocations`,
      signing_job_arn: "",
      signing_profile_version_arn: "",
      // A block the configuration leaves out stays out, as under the SDK's optional and computed blocks.
      ephemeral_storage: elements(state.ephemeral_storage).map(() => ({
        size: Number((found.EphemeralStorage as Answer | undefined)?.Size ?? 512),
      })),
      ...readTags((answer.Tags ?? {}) as Record<string, string>, state, context),
    };
  },
  update,
  async delete(state, context) {
    try {
      await lambda(context, state, "DeleteFunction", "DELETE", `/${String(state.id)}`);
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  },
};

function isSha256(text: string): boolean {
  return /^[A-Za-z0-9+/]{43}=$/.test(text);
}
