import { readFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import { reachableCode, walk } from "./reachable-code.ts";

/** One call of the AWS SDK in the product's source. */
export interface AwsCall {
  /** The IAM action it needs, such as `s3:GetObject`. */
  readonly action: string;
  /** The SDK's command, such as `HeadObject`. */
  readonly command: string;
  /** File of the call, from the repository's root. */
  readonly file: string;
}

const repository = join(import.meta.dirname, "../..");

/** IAM's name of each service. */
const prefixes: Readonly<Record<string, string>> = {
  "@aws-sdk/client-cloudwatch": "cloudwatch",
  "@aws-sdk/client-database-migration-service": "dms",
  "@aws-sdk/client-ec2": "ec2",
  "@aws-sdk/client-lambda": "lambda",
  "@aws-sdk/client-s3": "s3",
  "@aws-sdk/client-secrets-manager": "secretsmanager",
  "@aws-sdk/client-ssm": "ssm",
};

/** Commands whose action has another name: Service Authorization Reference, "Actions defined by Amazon S3" and "AWS Lambda". */
const otherNames: Readonly<Record<string, string>> = {
  "s3:HeadObject": "s3:GetObject",
  "s3:HeadBucket": "s3:ListBucket",
  "s3:ListObjectsV2": "s3:ListBucket",
  "s3:DeleteObjects": "s3:DeleteObject",
  "s3:CreateMultipartUpload": "s3:PutObject",
  "s3:UploadPart": "s3:PutObject",
  "s3:CompleteMultipartUpload": "s3:PutObject",
  "lambda:Invoke": "lambda:InvokeFunction",
};

/**
 * The AWS calls a program can make: what is reachable from the exports of its entry file, by function and method; a call through an
 * interface reaches every class that fits it. Calls are found in the source, so one more in the code is one more here. `without`
 * names files that the program loads when it needs them, and here never does.
 */
export async function awsCallsOf(entry: string, without: readonly string[] = []): Promise<AwsCall[]> {
  const calls = new Map<string, AwsCall>();
  for (const unit of reachableCode(repository, entry, without))
    for (const call of await callsIn(unit)) calls.set(`${call.command} ${call.file}`, call);
  return [...calls.values()].sort((left, right) => (left.action < right.action ? -1 : 1));
}

async function callsIn(unit: ts.Node): Promise<AwsCall[]> {
  const file = unit.getSourceFile();
  const names = new Set<string>();
  walk(unit, (node) => {
    if (!ts.isNewExpression(node) && !ts.isCallExpression(node)) return;
    const called = node.expression.getText().replace(/^.*\./, "");
    const [, made, paged] = /^(?:(\w+)Command|paginate(\w+))$/.exec(called) ?? [];
    if (ts.isNewExpression(node) && made) names.add(made);
    if (ts.isCallExpression(node) && paged) names.add(paged);
  });
  const path = file.fileName.slice(repository.length + 1);
  return Promise.all(
    [...names].map(async (command) => ({
      action: await actionOf(command, file.fileName),
      command,
      file: path,
    })),
  );
}

/** The action of a command, by the package of the file's that has it. */
async function actionOf(command: string, file: string): Promise<string> {
  const packages = new Set(
    [...readFileSync(file, "utf8").matchAll(/"(@aws-sdk\/client-[\w-]+)"/g)].map(([, name]) => name!),
  );
  for (const name of packages) {
    const sdk = (await import(name)) as Record<string, unknown>;
    if (!(`${command}Command` in sdk)) continue;
    const prefix = prefixes[name];
    if (!prefix) throw new Error(`${file}: ${name} has no name in IAM here yet`);
    return otherNames[`${prefix}:${command}`] ?? `${prefix}:${command}`;
  }
  throw new Error(`${file}: ${command} is of none of ${[...packages].join(", ") || "no AWS package"}`);
}
