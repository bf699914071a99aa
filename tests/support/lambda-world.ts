/** create-user-db as it is deployed: its archive, run by the Lambda of the AWS stand-in against the DocumentDB stand-in. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  CreateFunctionCommand,
  GetFunctionConfigurationCommand,
  InvokeCommand,
  LambdaClient,
} from "@aws-sdk/client-lambda";
import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3";
import {
  CreateSecretCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
} from "@aws-sdk/client-secrets-manager";
import Ajv2020 from "ajv/dist/2020.js";
import { type Document, MongoClient } from "mongodb";
import type { ProvisionResponse } from "../../core/provision/model.ts";
import { startTestAws } from "../../sandbox/aws/test-server.ts";
import { Sandbox } from "../../sandbox/up/sandbox.ts";
import schema from "../../schemas/provision-response.schema.json";

const root = join(import.meta.dirname, "../..");
const activeMsMax = 10_000;
const validate = new Ajv2020({ strict: true, strictTypes: false }).compile(schema);

export interface Told {
  readonly answer?: ProvisionResponse;
  readonly error?: string;
  readonly log: string;
}

/** Builds the archive into a file; the CA file is added where one is named. */
export function buildArchive(outfile: string, ca?: string): void {
  const script = join(root, "scripts/build-create-user-db.ts");
  const words = [process.execPath, script, "--outfile", outfile, ...(ca ? ["--ca", ca] : [])];
  const built = Bun.spawnSync(words);
  if (built.exitCode !== 0) throw new Error(built.stderr.toString());
}

export class LambdaWorld implements AsyncDisposable {
  private readonly lambda = new LambdaClient({});
  private readonly secrets = new SecretsManagerClient({});
  /** All that any invocation told: answers, errors, logs. */
  readonly told: string[] = [];

  private constructor(
    readonly folder: string,
    readonly uri: string,
    readonly client: MongoClient,
    private readonly archive: string,
    private readonly ending: AsyncDisposableStack,
  ) {}

  /** Secret `master` is the cluster's root user; `failback/…` lies in bucket `bucket`. */
  static async start(): Promise<LambdaWorld> {
    await using ending = new AsyncDisposableStack();
    const folder = mkdtempSync(join(tmpdir(), "create-user-db-"));
    ending.defer(() => rmSync(folder, { recursive: true, force: true }));
    ending.use(await startTestAws());
    const sandbox = ending.use(await Sandbox.start({ only: ["documentdb"] }));
    const uri = sandbox.addresses.documentdb!;
    const client = await new MongoClient(uri).connect();
    ending.defer(() => client.close());
    await client.db("admin").command({ _sandbox: "set", staleAuthorizationMs: 0 });
    const archive = join(folder, "create-user-db.zip");
    buildArchive(archive);
    await new S3Client({}).send(new CreateBucketCommand({ Bucket: "bucket" }));
    const world = new LambdaWorld(folder, uri, client, archive, ending.move());
    await world.putSecret("master", { uri });
    return world;
  }

  async putSecret(name: string, fields: object): Promise<void> {
    const SecretString = JSON.stringify(fields);
    try {
      await this.secrets.send(new CreateSecretCommand({ Name: name, SecretString }));
    } catch {
      await this.secrets.send(new PutSecretValueCommand({ SecretId: name, SecretString }));
    }
  }

  /** A function of environment dev with secrets `master` and `dms`, unless the variables say otherwise. */
  async createFunction(
    name: string,
    variables: Readonly<Record<string, string>> = {},
    archive = this.archive,
  ): Promise<void> {
    const Variables = {
      ROUNDTRIP_ENVIRONMENT: "dev",
      ROUNDTRIP_BUCKET: "bucket",
      ROUNDTRIP_MASTER_SECRET: "master",
      ROUNDTRIP_REPLICATION_SECRET: "dms",
      ...variables,
    };
    await this.lambda.send(
      new CreateFunctionCommand({
        FunctionName: name,
        Runtime: "nodejs22.x",
        Handler: "index.handler",
        Role: "arn:aws:iam::000000000000:role/create-user-db",
        Timeout: 60,
        Code: { ZipFile: readFileSync(archive) },
        Environment: { Variables },
      }),
    );
    const until = performance.now() + activeMsMax;
    const state = async () =>
      (await this.lambda.send(new GetFunctionConfigurationCommand({ FunctionName: name }))).State;
    while ((await state()) !== "Active") {
      if (performance.now() > until) throw new Error(`function ${name} did not become active`);
      await Bun.sleep(50);
    }
  }

  /** Invokes it. An answer that doesn't keep its schema throws. */
  async tell(name: string, request: unknown): Promise<Told> {
    const answer = await this.lambda.send(
      new InvokeCommand({ FunctionName: name, Payload: JSON.stringify(request), LogType: "Tail" }),
    );
    const payload = Buffer.from(answer.Payload ?? []).toString();
    const log = Buffer.from(answer.LogResult ?? "", "base64").toString();
    this.told.push(payload, log);
    if (answer.FunctionError) return { error: JSON.parse(payload).errorMessage as string, log };
    const response = JSON.parse(payload) as ProvisionResponse;
    if (!validate(response)) throw new Error(`an answer that is none: ${payload}`);
    return { answer: response, log };
  }

  /** Users and databases of the tests gone, the DMS user's secret as given. */
  async reset(user: { readonly username: string; readonly password: string }): Promise<void> {
    await this.putSecret("dms", user);
    for (const name of ["dms", "dms2"]) {
      if (await this.rolesOf(name)) await this.client.db("admin").command({ dropUser: name });
    }
    for (const name of ["shop", "billing"]) await this.client.db(name).dropDatabase();
  }

  async standing(database: string): Promise<string[]> {
    return (await this.client.db(database).listCollections().toArray()).map(({ name }) => name).sort();
  }

  async rolesOf(user: string): Promise<Document[] | undefined> {
    const { users } = await this.client.db("admin").command({ usersInfo: user });
    return (users as Document[])[0]?.roles as Document[] | undefined;
  }

  /** Writes as a user; gives the code it is refused with, or 0. */
  async write(username: string, password: string, database: string): Promise<number> {
    const options = { auth: { username, password }, authSource: "admin", serverSelectionTimeoutMS: 3000 };
    const own = new MongoClient(this.uri.replace(/\/\/[^@]*@/, "//"), options);
    try {
      await own.db(database).collection("written").insertOne({ a: 1 });
      return 0;
    } catch (error) {
      return Number((error as { code?: number }).code);
    } finally {
      await own.close();
    }
  }

  /** The password of the cluster's root user. */
  get rootPassword(): string {
    return /\/\/[^:]*:([^@]*)@/.exec(this.uri)![1]!;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.ending[Symbol.asyncDispose]();
  }
}
