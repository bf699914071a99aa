import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type ActionMetadata, actionCatalog } from "../../core/actions/catalog.ts";
import { operationsUnits } from "../../core/actions/parameter.ts";
import { backupsPrefix } from "../../core/backup/layout.ts";
import { promotionKey } from "../../core/credentials/accounts.ts";
import { identityKey, inspectionsPrefix, preflightsPrefix } from "../../core/failback/layout.ts";
import { toldObjects } from "../../services/notify/notices.ts";
import { awsCallsOf } from "../support/aws-calls.ts";

setDefaultTimeout(180_000);

const repository = join(import.meta.dirname, "../..");

/** Programs by their entry files, and the files of them that are never loaded where they run. */
interface Program {
  readonly entries: readonly string[];
  readonly without?: readonly string[];
}

const actionFiles = (never: (action: ActionMetadata) => boolean) =>
  actionCatalog.filter(never).map(({ name }) => `services/actions/${name}.ts`);
const onlyInNormalTimes = ({ phases }: ActionMetadata) => phases !== "any" && phases.join() === "normal";

/** Which program runs as which role of the stack. In normal times actions run on the operations host (runbooks/engine/operation.ts). */
const programs: Readonly<Record<string, Program>> = {
  create_user_db: { entries: ["services/create-user-db/main.ts"] },
  notify: { entries: ["services/notify/main.ts"] },
  failback_host: { entries: ["services/main.ts"], without: actionFiles(onlyInNormalTimes) },
  operations_host: {
    entries: [
      "services/actions/main.ts",
      ...operationsUnits
        .map((unit) => `services/${unit.replace(/\.service$/, "")}/main.ts`)
        .filter((entry) => existsSync(join(repository, entry))),
    ],
    without: actionFiles(({ failback }) => failback),
  },
  // By the workflows of each role's GitHub environments (github-subjects.test.ts).
  look: { entries: ["scripts/roundtrip/logs.ts", "scripts/roundtrip/preflight.ts"] },
  runner: { entries: ["scripts/roundtrip/runbook.ts"] },
};

/** What a host calls by scripts and by AWS's agent, not by the worker. */
const ofItsSetUp = {
  "ssm:GetParameter": "terraform/modules/ec2/install/fetch-environment.sh",
  "logs:CreateLogStream": "the CloudWatch agent",
  "logs:PutLogEvents": "the same",
};

/** What no call in the source asks for, by role, with the reason it is granted all the same. */
const besides: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  create_user_db: { "s3:ListBucket": "without it S3 answers denied for an object that isn't there" },
  failback_host: {
    ...ofItsSetUp,
    "s3:PutObjectTagging": "services/backup/dump.ts puts dumps with a tag: the put needs it, too",
  },
  operations_host: {
    ...ofItsSetUp,
    "s3:PutObjectTagging": "services/mongodb-backup/run.ts puts archives with a tag: the put needs it, too",
  },
  notify: {
    "sns:Publish": "Lambda sends the record of a failure in the function's name",
    "logs:CreateLogStream": "and writes its log in it",
    "logs:PutLogEvents": "the same",
  },
  kafka_node: {
    "s3:GetObject": "terraform/modules/kafka/install/install.sh",
    "ssm:GetParameter": "the same, and terraform/modules/ec2/install/fetch-environment.sh",
  },
  kafka_clients: { "ssm:GetParameter": "who connects to the brokers has to know where they are" },
  dms_secrets: {
    "secretsmanager:DescribeSecret": "DMS itself reads the source endpoint's secret",
    "secretsmanager:GetSecretValue": "the same",
  },
};

/** AWS's policies that may be attached, and why one of our own is no better. */
const managed: Readonly<Record<string, string>> = {
  "service-role/AWSLambdaVPCAccessExecutionRole":
    "log and network interfaces: Lambda's own calls, without narrower resources",
  AmazonSSMManagedInstanceCore: "the SSM agent's own calls, which change with its versions",
};

interface Statement {
  readonly sid: string;
  readonly why: string;
  readonly actions: readonly string[];
  readonly anyResource: boolean;
}
interface Role {
  readonly statements: readonly Statement[];
  readonly managed: readonly string[];
  readonly usesKey: boolean;
}

const quoted = (text: string) => [...text.matchAll(/"([^"]*)"/g)].map(([, each]) => each!);

/** The stack's roles as they are written (terraform fmt holds the form). */
function roles(): ReadonlyMap<string, Role> {
  const folder = join(repository, "terraform/stack");
  const files = readdirSync(folder).filter((file) => file.endsWith(".tf"));
  const text = files.map((file) => readFileSync(join(folder, file), "utf8")).join("\n");
  const blocks = [...text.matchAll(/^ {4}(\w+) = \{\n([\s\S]*?)^ {4}\}/gm)].filter(([, , body]) =>
    body!.includes("policy_name"),
  );
  return new Map(
    blocks.map(([, name, body]) => {
      const statements = body!
        .split(/(?=\bsid\s+=)/)
        .slice(1)
        .map((each) => ({
          sid: /^sid\s+= "(\w+)"/.exec(each)![1]!,
          why: /\bwhy\s+= "([^"]*)"/.exec(each)![1]!,
          actions: quoted(/\bactions\s+= \[([^\]]*)\]/.exec(each)![1]!),
          anyResource: /\bresources\s+= \["\*"\]/.test(each),
        }));
      const attached = quoted(/managed_policy_arns\s+= \[([^\]]*)\]/.exec(body!)?.[1] ?? "");
      return [
        name!,
        {
          statements,
          managed: attached.map((arn) => arn.replace(/^.*:policy\//, "")),
          usesKey: body!.includes("local.use_key"),
        },
      ];
    }),
  );
}

/** Calls AWS knows no narrower resource for: Service Authorization Reference, the tables of each service. */
const withoutResources = [
  "cloudwatch:PutMetricData",
  "dms:DescribeAccountAttributes",
  "dms:DescribeConnections",
  "dms:DescribeEndpoints",
  "dms:DescribeReplicationInstances",
  "dms:DescribeReplicationTasks",
  "ec2:DescribeInstances",
  "ssm:DescribeInstanceInformation",
  "ssm:GetCommandInvocation",
  "ssm:ListCommands",
];

describe("permissions", () => {
  const granted = roles();

  test("the stack's roles are the ones whose programs are known here, DMS's own, and Kafka's", () => {
    expect([...granted.keys()].sort()).toEqual(
      [...Object.keys(programs), "dms_secrets", "kafka_clients", "kafka_node"].sort(),
    );
  });

  for (const [name, role] of granted) {
    test(`${name}: is granted what its program calls, and nothing else`, async () => {
      const program = programs[name];
      const { entries = [], without } = program ?? {};
      const calls = (await Promise.all(entries.map((entry) => awsCallsOf(entry, without)))).flat();
      if (program) expect(calls.length).toBeGreaterThan(1);
      const actions = role.statements.flatMap((statement) => statement.actions);
      expect(new Set(actions).size).toBe(actions.length);
      const needed = new Set([...calls.map(({ action }) => action), ...Object.keys(besides[name] ?? {})]);
      expect([...actions].sort()).toEqual([...needed].sort());
      // A reason for what the code calls by now would be no reason.
      const unneeded = Object.keys(besides[name] ?? {}).filter((each) =>
        calls.some(({ action }) => action === each),
      );
      expect(unneeded).toEqual([]);
      expect(role.usesKey).toBe(true);
    });

    test(`${name}: each statement names the code that needs it; every resource only where AWS has no narrower one`, () => {
      for (const { sid, why, actions, anyResource } of role.statements) {
        const path = why.slice(0, why.indexOf(":"));
        expect({ sid, path, there: existsSync(join(repository, path)) }).toEqual({ sid, path, there: true });
        const tooWide = anyResource ? actions.filter((action) => !withoutResources.includes(action)) : [];
        expect({ sid, tooWide }).toEqual({ sid, tooWide: [] });
      }
      expect(role.managed.filter((policy) => !(policy in managed))).toEqual([]);
    });
  }

  test("the operations host writes below the prefixes its actions write to, and no others", () => {
    const text = readFileSync(join(repository, "terraform/stack/main.iam.hosts.tf"), "utf8");
    const granted = /sid\s+= "Write"[\s\S]*?for prefix in \[([^\]]*)\]/.exec(text)![1]!;
    const written = [
      promotionKey("replication"),
      backupsPrefix,
      identityKey,
      inspectionsPrefix,
      preflightsPrefix,
    ];
    expect(quoted(granted).sort()).toEqual([...new Set(written.map((key) => key.split("/")[0]!))].sort());
  });

  test("what runs on Kafka's nodes asks AWS for nothing: their role is what their installer needs", async () => {
    const actions = actionCatalog.filter(({ name }) => name.startsWith("kafka-"));
    expect(actions.length).toBeGreaterThan(1);
    const calls = actions.map(({ name }) => awsCallsOf(`services/actions/${name}.ts`));
    expect((await Promise.all(calls)).flat()).toEqual([]);
  });

  test("S3 says when an object is written exactly of those the function notify has words for", () => {
    const text = readFileSync(join(repository, "terraform/stack/main.notify.tf"), "utf8");
    const announced = quoted(/told_objects = \{([^}]*)\}/.exec(text)![1]!);
    expect(announced.sort()).toEqual(Object.keys(toldObjects).sort());
  });

  test("where the environment has a key, its use is granted and no more", () => {
    const text = readFileSync(join(repository, "terraform/stack/main.iam.tf"), "utf8");
    const keys = [...text.matchAll(/^ {2}(use_key\w*)\s+= [\s\S]*?actions\s+= \[([^\]]*)\]/gm)];
    expect(Object.fromEntries(keys.map(([, name, actions]) => [name, quoted(actions!)]))).toEqual({
      use_key: ["kms:Decrypt", "kms:GenerateDataKey"],
      use_key_of_secret: ["kms:Decrypt", "kms:DescribeKey"],
    });
  });
});
