import { cpSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3";
import { AwsFunctions } from "../../../adapters/aws/functions.ts";
import { createParameters } from "../../../adapters/aws/parameters.ts";
import { terraformFailure } from "../../../adapters/terraform/failure.ts";
import { type Diagnostic, readMessage } from "../../../adapters/terraform/messages.ts";
import { run } from "../../../adapters/terraform/run.ts";
import { RoundtripError } from "../../../core/errors.ts";
import type { Environment } from "../../../core/failback/documents.ts";
import type { ProvisionRequest } from "../../../core/provision/model.ts";
import { startTerraform } from "../../../sandbox/up/terraform.ts";
import { loadEnvironment } from "../../roundtrip/environment.ts";
import { drillCollections } from "../scope.ts";
import { type Addresses, region } from "./addresses.ts";
import { databases, masterOf, masterSecret, secretName, slackSecret } from "./users.ts";

const root = join(import.meta.dirname, "../../..");
/** The stack knows three environments; the drill's is dev, with what differs on this machine. */
const stackEnvironment = "dev";
const stateBucket = "roundtrip-drill-state";
/** A drill that is interrupted doesn't wait for machines that boot. */
const interruptGraceSeconds = 2;

export interface TerraformGround {
  readonly at: Addresses;
  /** A folder of its own, that goes with the drill. */
  readonly folder: string;
  readonly program: string;
  readonly tasksFile: string;
  readonly bucket: string;
  say(line: string): void;
}

/**
 * Builds the world with the real stack: `terraform init` and `apply` over the stand-in providers, with dev's variables
 * and the drill's own. Then the stack's function makes what DMS needs on DocumentDB, as an apply has it do. Gives the
 * environment that Terraform published and how many objects it made. Fails as `roundtrip apply` does.
 */
export async function buildByTerraform(
  ground: TerraformGround,
  signal: AbortSignal,
): Promise<{ environment: Environment; objects: number }> {
  const { at, folder } = ground;
  const stack = checkout(folder);
  const variables = join(folder, "drill.tfvars.json");
  writeFileSync(variables, JSON.stringify(variablesOf(ground)), { mode: 0o600 });
  await new S3Client({ region, endpoint: at.aws, forcePathStyle: true }).send(
    new CreateBucketCommand({ Bucket: stateBucket }),
  );
  const terraform = terraformIn(ground, stack, signal);
  ground.say("terraform init");
  const backend = { bucket: stateBucket, key: "drill.tfstate", region, use_path_style: "true" };
  await terraform("prepare Terraform (init)", [
    ...["init", "-json", "-input=false"],
    ...Object.entries(backend).map(([name, value]) => `-backend-config=${name}=${value}`),
  ]);
  ground.say(`terraform apply of terraform/stack, with ${stackEnvironment}'s variables and the drill's own`);
  const objects = await terraform("build the world with Terraform (apply)", [
    ...["apply", "-json", "-input=false", "-auto-approve"],
    `-var-file=../environments/${stackEnvironment}.tfvars`,
    `-var-file=${variables}`,
  ]);
  const environment = await loadEnvironment(createParameters({ region }), stackEnvironment);
  ground.say(`databases and DMS's user on DocumentDB by ${environment.createUserDbFunction}`);
  await provisionDocumentdb(environment);
  return { environment, objects };
}

/** The repository as it is, with a copy of `terraform/`, where Terraform leaves its files. Gives the stack's folder. */
function checkout(folder: string): string {
  const repository = join(folder, "repository");
  mkdirSync(repository, { recursive: true });
  for (const entry of readdirSync(root))
    if (entry !== "terraform") symlinkSync(join(root, entry), join(repository, entry));
  cpSync(join(root, "terraform"), join(repository, "terraform"), {
    recursive: true,
    filter: (path) => !path.includes(".terraform"),
  });
  return join(repository, "terraform/stack");
}

/** What differs from dev's own variables: this machine's databases and the drill's users, bucket and tasks. */
function variablesOf({ at, bucket, tasksFile }: TerraformGround): object {
  const { username } = masterOf(at);
  return {
    s3_bucket_name: bucket,
    tasks_file: tasksFile,
    docdb_master_user_secret_name: masterSecret,
    docdb_master_username: username,
    docdb_secret_name: secretName("roundtrip_documentdb"),
    // The stand-in for DocumentDB speaks without TLS, on loopback.
    docdb_ca_bundle_file: null,
    docdb_cluster_replication: {
      port: Number(masterOf(at).port),
      tls: "disabled",
      deletion_protection: false,
      skip_final_snapshot: true,
    },
    mongodb_secret_name: secretName("roundtrip_mongodb"),
    mongodb_dms_secret_name: secretName("dms_source"),
    dms_user_replication_username: "dms_target",
    administrators: [username, "roundtrip_documentdb"],
    application_users: [{ name: "shop", secret: secretName("shop") }],
    slack: { webhook_secret_name: slackSecret },
    settings: at.settings,
  };
}

/** Runs Terraform in the stack; what it gives back is how many objects were added. */
function terraformIn({ at, folder, program }: TerraformGround, directory: string, signal: AbortSignal) {
  const environment = {
    ...process.env,
    ...startTerraform(join(folder, "providers"), at.aws),
    SANDBOX_DOCUMENTDB_HOST: masterOf(at).host,
    TF_INPUT: "0",
    NO_COLOR: "1",
  };
  return async (what: string, parameters: readonly string[]): Promise<number> => {
    const diagnostics: Diagnostic[] = [];
    let added = 0;
    const onLine = (line: string) => {
      const message = readMessage(line);
      if (message?.kind === "diagnostic") diagnostics.push(message.diagnostic);
      added = addedIn(line) ?? added;
    };
    const options = { program, parameters, directory, environment, interruptGraceSeconds };
    const ended = await run({ ...options, outputFolder: folder, onLine, signal });
    if (ended.interrupted) throw interrupted(what);
    if (ended.exitCode !== 0) throw terraformFailure(what, diagnostics, ended, (text) => text);
    return added;
  };
}

/** From Terraform's last words (`change_summary` of an apply). */
function addedIn(line: string): number | undefined {
  if (!line.includes('"type":"change_summary"')) return undefined;
  const { changes } = JSON.parse(line) as { changes?: { operation?: string; add?: number } };
  return changes?.operation === "apply" ? changes.add : undefined;
}

function interrupted(what: string): RoundtripError {
  return new RoundtripError({
    kind: "interrupted",
    what,
    expected: "to finish",
    got: "an interrupt",
    wayOut: "run the drill again",
  });
}

/** Databases, collections and DMS's user on DocumentDB; a collection the story has the application create is left to it. */
async function provisionDocumentdb({ environment, createUserDbFunction = "" }: Environment): Promise<void> {
  const collectionsOf = (name: string) =>
    drillCollections
      .filter(({ database, late }) => database === name && !late)
      .map(({ collection }) => collection);
  const request: ProvisionRequest = {
    version: 1,
    environment,
    databases: databases.map((name) => ({ name, collections: collectionsOf(name) })),
  };
  await new AwsFunctions({ region }).invoke(createUserDbFunction, request);
}
