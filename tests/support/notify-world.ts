/** notify as it is deployed: its archive, called by the AWS stand-in's bucket and topic, telling Slack's stand-in. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as lambda from "@aws-sdk/client-lambda";
import * as s3 from "@aws-sdk/client-s3";
import { CreateSecretCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { S3ObjectStore } from "../../adapters/aws/object-store.ts";
import { systemClock } from "../../adapters/clock.ts";
import { PhaseStore } from "../../adapters/state/phase-store.ts";
import { currentKey } from "../../core/failback/layout.ts";
import { defaultCredentials } from "../../sandbox/aws/identity.ts";
import { startTestAws, type TestAws } from "../../sandbox/aws/test-server.ts";
import { type SlackServer, startSlack } from "../../sandbox/slack/server.ts";
import { AwsClient } from "../../sandbox/terraform-provider/aws/client.ts";

const root = join(import.meta.dirname, "../..");
const region = "us-east-1";
const functionName = "roundtrip-dev-notify";
const bucket = "roundtrip-dev";
const topic = `arn:aws:sns:${region}:123456789012:roundtrip-dev-alarms`;
/** Lambda waits for minutes between its tries. */
const retryDelaysMs = [100, 200];

/** What the stand-in says of a run of the function. */
export interface Called {
  readonly event: string;
  readonly payload: string;
  readonly error?: string;
  readonly log: string;
}

/** A message on the topic of alarms, and whom it went to. */
interface Published {
  readonly message: string;
  readonly to: readonly { readonly protocol: string; readonly endpoint: string }[];
}

export class NotifyWorld implements AsyncDisposable {
  readonly store = new S3ObjectStore({ bucket, region });
  readonly phases = new PhaseStore(this.store, systemClock, "dev");

  private constructor(
    readonly aws: TestAws,
    readonly slack: SlackServer,
    private readonly ending: AsyncDisposableStack,
  ) {}

  /** As terraform/modules/notify makes it, with on-call's mail beside the function on the topic. */
  static async start(): Promise<NotifyWorld> {
    await using ending = new AsyncDisposableStack();
    const aws = ending.use(await startTestAws());
    const slack = ending.use(startSlack());
    await aws.control("POST", "lambda", { retryDelaysMs });
    const SecretString = JSON.stringify({ url: slack.webhook });
    await new SecretsManagerClient({}).send(
      new CreateSecretCommand({ Name: "roundtrip/dev/slack", SecretString }),
    );
    const buckets = new s3.S3Client({});
    await buckets.send(new s3.CreateBucketCommand({ Bucket: bucket }));
    const arn = await createFunction();
    const world = new NotifyWorld(aws, slack, ending.move());
    await world.keep("aws_sns_topic", topic, {});
    await world.subscribe("lambda", arn);
    await world.subscribe("email", "on-call@example.com");
    const rule = {
      LambdaFunctionArn: arn,
      Events: ["s3:ObjectCreated:*" as const],
      Filter: { Key: { FilterRules: [{ Name: "prefix" as const, Value: currentKey }] } },
    };
    await buckets.send(
      new s3.PutBucketNotificationConfigurationCommand({
        Bucket: bucket,
        NotificationConfiguration: { LambdaFunctionConfigurations: [rule] },
      }),
    );
    return world;
  }

  /** As CloudWatch does when an alarm changes its state. */
  async publish(message: string): Promise<void> {
    const client = new AwsClient(this.aws.url, async () => defaultCredentials);
    const parameters = { Action: "Publish", TopicArn: topic, Message: message };
    await client.query("sns", "2010-03-31", parameters, region);
  }

  async calls(): Promise<Called[]> {
    return (await this.aws.control("GET", "invocations")) as Called[];
  }

  async published(): Promise<Published[]> {
    return (await this.aws.control("GET", "published")) as Published[];
  }

  /** First lines of what the channel shows. */
  get told(): string[] {
    return this.slack.messages.map(({ text }) => text.split("\n")[0]!);
  }

  private async subscribe(protocol: string, endpoint: string): Promise<void> {
    await this.keep("aws_sns_topic_subscription", endpoint, { topic_arn: topic, protocol, endpoint });
  }

  /** Makes an object of Terraform's provider that the stand-in only keeps. */
  private async keep(TypeName: string, ObjectId: string, Attributes: object): Promise<void> {
    const client = new AwsClient(this.aws.url, async () => defaultCredentials);
    await client.json(
      "stored-objects",
      "StoredObjects.CreateObject",
      { TypeName, ObjectId, Attributes },
      region,
    );
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.ending[Symbol.asyncDispose]();
  }
}

/** Gives its ARN. */
async function createFunction(): Promise<string> {
  const functions = new lambda.LambdaClient({});
  const { FunctionArn: arn = "" } = await functions.send(
    new lambda.CreateFunctionCommand({
      FunctionName: functionName,
      Runtime: "nodejs22.x",
      Handler: "index.handler",
      Role: "arn:aws:iam::123456789012:role/notify",
      Timeout: 60,
      Code: { ZipFile: archive() },
      Environment: {
        Variables: {
          ROUNDTRIP_ENVIRONMENT: "dev",
          ROUNDTRIP_BUCKET: bucket,
          ROUNDTRIP_WEBHOOK_SECRET: "roundtrip/dev/slack",
          ROUNDTRIP_REPOSITORY: "https://github.com/acme/data",
        },
      },
    }),
  );
  for (const [service, SourceArn] of Object.entries({ s3: `arn:aws:s3:::${bucket}`, sns: topic }))
    await functions.send(
      new lambda.AddPermissionCommand({
        FunctionName: functionName,
        StatementId: service,
        Action: "lambda:InvokeFunction",
        Principal: `${service}.amazonaws.com`,
        SourceArn,
      }),
    );
  await functions.send(
    new lambda.PutFunctionEventInvokeConfigCommand({
      FunctionName: functionName,
      MaximumRetryAttempts: 2,
      DestinationConfig: { OnFailure: { Destination: topic } },
    }),
  );
  return arn;
}

function archive(): Uint8Array {
  const folder = mkdtempSync(join(tmpdir(), "notify-"));
  try {
    const outfile = join(folder, "notify.zip");
    const words = [process.execPath, join(root, "scripts/build-notify.ts"), "--outfile", outfile];
    const built = Bun.spawnSync(words);
    if (built.exitCode !== 0) throw new Error(built.stderr.toString());
    return readFileSync(outfile);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
