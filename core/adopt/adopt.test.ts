import { describe, expect, test } from "bun:test";
import { mappingsDifference } from "../drift/task-difference.ts";
import { RoundtripError } from "../errors.ts";
import type { TableMappings } from "../tasks/mappings.ts";
import { type Adoption, adopt } from "./adopt.ts";
import { arn, type OldObject, rule, source, stateText, target, task, tasksText } from "./testing.ts";

const orders = task("shop-orders", "shop", [rule("shop", "orders"), rule("shop", "items")]);
const shop = target("shop", "shop");

function adopted(objects: readonly OldObject[], more: Partial<Parameters<typeof adopt>[0]> = {}): Adoption {
  const tasks = objects.filter(({ type }) => type === "aws_dms_replication_task");
  return adopt({
    state: stateText(...objects),
    tasks: tasksText(...tasks),
    tasksFile: "dmsReplicationTasks.json",
    environment: "dev",
    modules: "../terraform/modules",
    sameState: false,
    ...more,
  });
}

function refusal(objects: readonly OldObject[], more: Partial<Parameters<typeof adopt>[0]> = {}): string {
  try {
    adopted(objects, more);
  } catch (error) {
    if (error instanceof RoundtripError) return `${error.kind}: ${error.message}`;
    throw error;
  }
  throw new Error("nothing was refused");
}

describe("what is taken over", () => {
  test("a set-up that says what its file says has no losses, and no secret is written", () => {
    const { files, losses, notes, taken } = adopted([source(), shop, orders]);
    expect({ losses, notes }).toEqual({ losses: [], notes: [] });
    expect(taken.map(({ to }) => to)).toEqual([
      "module.dms.aws_dms_endpoint.source",
      'module.dms.aws_dms_endpoint.target["shop"]',
      'module.dms.aws_dms_replication_task.this["shop-orders"]',
    ]);
    expect(JSON.stringify(files)).not.toMatch(/read-secret|write-secret/);
    // The instance is in another state: it is named, not owned.
    expect(files["main.tf"]).toContain(`replication_instance_arn = "${arn("rep", "mover")}"`);
  });

  test("an id in capitals is written as DMS has it", () => {
    const { files } = adopted([source(), shop, task("Shop-ORDERS", "shop", [rule("shop", "orders")])]);
    expect(files["tasks.yaml"]).toContain("- id: shop-orders");
    expect(files["import.tf"]).toContain(
      'to = module.dms.aws_dms_replication_task.this["shop-orders"]\n  id = "shop-orders"',
    );
  });

  test("DMS's limits for large documents are in tasks.yaml; what it can't say is a note", () => {
    const settings = {
      TargetMetadata: {
        SupportLobs: true,
        FullLobMode: false,
        LimitedSizeLobMode: true,
        LobMaxSize: 64,
        LobChunkSize: 0,
        BatchApplyEnabled: true,
      },
      FullLoadSettings: { TargetTablePrepMode: "DROP_AND_CREATE", MaxFullLoadSubTasks: 4, CommitRate: 500 },
      Logging: { EnableLogging: true, CloudWatchLogGroup: "dms-tasks-mover" },
    };
    const old = task("shop-orders", "shop", [rule("shop", "orders")], {
      replication_task_settings: JSON.stringify(settings),
    });
    const { files, notes } = adopted([source(), shop, old]);
    expect(files["tasks.yaml"]).toContain("mode: limited\n        maxKilobytes: 64");
    expect(files["tasks.yaml"]).toContain("parallelCollections: 4\n        commitRate: 500");
    expect(notes).toEqual([
      'task "shop-orders": DMS has TargetMetadata.BatchApplyEnabled true (tasks.yaml: false), FullLoadSettings.TargetTablePrepMode "DROP_AND_CREATE" (tasks.yaml: "DO_NOTHING"); that stays until the task\'s settings are changed in tasks.yaml',
    ]);
    const kept = JSON.parse(files["adopted.json"]!) as {
      tasks: Record<string, { settings: { inDms: object } }>;
    };
    expect(kept.tasks["shop-orders"]!.settings.inDms).toEqual({
      ...settings,
      Logging: { EnableLogging: true },
    });
  });

  test("a server's name that the old root calls sensitive becomes a variable", () => {
    const { files } = adopted([
      source({ server_name: "secret-host.test" }, { server_name: true }),
      shop,
      orders,
    ]);
    expect(JSON.stringify(files)).not.toContain("secret-host");
    expect(files["main.tf"]).toContain("server_name = var.roundtrip_source_server_name");
    expect(files["variables.tf"]).toMatch(
      /variable "roundtrip_source_server_name" \{[^}]*sensitive {3}= true/,
    );
    expect(files["README.md"]).toContain("`roundtrip_source_server_name`");
  });

  test("a user the old root calls sensitive becomes a variable, for the endpoints it writes through too", () => {
    const secretive = { ...shop, sensitive: { password: true, username: true } };
    const { files } = adopted([source(), secretive, orders]);
    expect(JSON.stringify(files)).not.toContain("writer");
    expect(files["main.tf"]).toContain(", id) ? var.roundtrip_target_username : null");
    expect(adopted([source(), shop, orders]).files["main.tf"]).toContain(', id) ? "writer" : null');
  });

  test("the secret with the targets' login is found in the state; any other stays to be named", () => {
    const version = (password: string): OldObject => ({
      address: "aws_secretsmanager_secret_version.replication",
      type: "aws_secretsmanager_secret_version",
      values: {
        id: "x",
        secret_id: "dms-user",
        secret_string: JSON.stringify({ username: "writer", password }),
      },
      sensitive: { secret_string: true },
    });
    expect(adopted([source(), shop, orders, version("write-secret")]).files["variables.tf"]).toContain(
      '= "dms-user"',
    );
    expect(adopted([source(), shop, orders, version("another")]).files["variables.tf"]).not.toContain(
      "dms-user",
    );
  });

  test("a certificate goes along without its content", () => {
    const certificate: OldObject = {
      address: "module.domain5_dms.aws_dms_certificate.bundle",
      type: "aws_dms_certificate",
      values: {
        id: "rds-bundle",
        certificate_id: "rds-bundle",
        certificate_arn: arn("cert", "rds"),
        certificate_pem: "-----BEGIN",
      },
      sensitive: { certificate_pem: true, certificate_wallet: true },
    };
    const secured = target("shop", "shop", { ssl_mode: "verify-full", certificate_arn: arn("cert", "rds") });
    const { files } = adopted([source(), secured, orders, certificate]);
    expect(files["main.tf"]).toContain("certificate_arn = aws_dms_certificate.adopted_1.certificate_arn");
    expect(files["main.tf"]).toContain("ignore_changes  = [certificate_pem, certificate_wallet]");
    expect(files["import.tf"]).toContain('to = aws_dms_certificate.adopted_1\n  id = "rds-bundle"');
    expect(JSON.stringify(files)).not.toContain("BEGIN");
  });

  test("what belongs to no task stays, or is named when Terraform lets go of it with its neighbours", () => {
    const unused = target("unused", "archive");
    const bucket: OldObject = {
      address: "aws_s3_bucket.dumps",
      type: "aws_s3_bucket",
      values: { id: "dumps" },
    };
    const { stays, notes } = adopted([source(), shop, orders, unused, bucket]);
    expect(stays).toEqual(["aws_s3_bucket.dumps"]);
    expect(notes).toEqual([
      'module.domain5_dms.aws_dms_endpoint.target["unused"] belongs to no task, and Terraform lets go of it with its neighbours: delete it by hand when nothing needs it',
    ]);
  });

  test("in the same state a task Terraform has started is let go of and imported: moved, it would be stopped", () => {
    const started = task("shop-orders", "shop", [rule("shop", "orders")], { start_replication_task: true });
    const files = adopted([source(), shop, started], { sameState: true }).files;
    expect(files["import.tf"]).toContain("aws_dms_replication_task");
    expect(files["removed.tf"]).toContain(
      "from = module.domain5_dms.aws_dms_replication_task.replication_task\n",
    );
    expect(Object.keys(files)).not.toContain("moved.tf");
    const moved = adopted([source(), shop, orders], { sameState: true }).files;
    expect(moved["moved.tf"]).toContain(
      'from = module.domain5_dms.aws_dms_replication_task.replication_task["shop-orders"]',
    );
    expect(moved["removed.tf"]).not.toContain("aws_dms_replication_task");
    expect(Object.keys(moved)).not.toContain("versions.tf");
  });

  test("modules of the old root keep their names", () => {
    const own: OldObject = {
      address: "module.dms.aws_s3_bucket.x",
      type: "aws_s3_bucket",
      values: { id: "x" },
    };
    expect(adopted([source(), shop, orders, own]).files["import.tf"]).toContain(
      "module.roundtrip_dms.aws_dms_endpoint.source",
    );
  });
});

test("an adopted task, as DMS has it, is no drift: old rules name the same collections", () => {
  const rules = [
    rule("Si_DbCobranza", "cuotas_1", { "rule-action": "include", filters: [] }),
    rule("Si_DbCobranza", "pagos", { "rule-action": "include", filters: [] }),
  ];
  const { files } = adopted([
    source(),
    target("cobranza", "Si_DbCobranza"),
    task("cobranza-2", "cobranza", rules),
  ]);
  const { tasks } = JSON.parse(files["adopted.json"]!) as {
    tasks: Record<string, { mappings: { inDms: unknown; declared: TableMappings } }>;
  };
  const { inDms, declared } = tasks["cobranza-2"]!.mappings;
  expect(inDms).toEqual({ rules });
  expect(mappingsDifference(declared, inDms)).toBeUndefined();
  const wild = rule("Si_DbCobranza", "%", { "rule-action": "include" });
  expect(mappingsDifference(declared, { rules: [...rules, wild] })).toBe("also Si_DbCobranza.%");
});

describe("what is not carried over, or not without a load", () => {
  test("state and tasks file disagree: the state is right, and each difference is named", () => {
    const file = JSON.stringify([
      {
        task_id: "shop-orders",
        "table-mappings": { rules: [rule("shop", "orders"), rule("shop", "refunds")] },
        target_endpoint_key: "other",
      },
      { task_id: "new-one", "table-mappings": { rules: [rule("shop", "x")] }, target_endpoint_key: "shop" },
    ]);
    const extra = task("shop-more", "shop", [rule("shop", "more")]);
    const { losses, files } = adopted([source(), shop, orders, extra], { tasks: file });
    expect(losses).toEqual([
      'task "shop-orders": dmsReplicationTasks.json names endpoint "other", the state "shop": kept as in the state',
      "task \"shop-orders\": shop.refunds of dmsReplicationTasks.json isn't in the state's mappings: left out; add it when the set-up is adopted",
      'task "shop-orders": the state has shop.items, dmsReplicationTasks.json hasn\'t: kept, because DMS replicates it',
      'task "new-one" of dmsReplicationTasks.json isn\'t in the state: left out; add it when the set-up is adopted',
      'task "shop-more" is in the state and not in dmsReplicationTasks.json: kept, because DMS runs it',
    ]);
    expect(files["tasks.yaml"]).not.toContain("refunds");
  });

  test("two databases in one task: the second gets a task of its own, which loads it in full, and that is said", () => {
    const both = task("shop-orders", "shop", [rule("shop", "orders"), rule("billing", "invoices")]);
    const { losses, files } = adopted([source(), shop, both]);
    expect(losses).toEqual([
      'task "shop-orders": endpoint "shop" writes another database already; "billing" gets one of its own',
      'task "shop-orders": its mappings change (without billing.invoices); Terraform stops a running task for that and doesn\'t start it again',
      'task "shop-orders-2" is new: DMS loads database "billing" in full through it, beside what was loaded before',
    ]);
    const kept = JSON.parse(files["adopted.json"]!) as { tasks: Record<string, { mappings?: unknown }> };
    expect(kept.tasks["shop-orders"]!.mappings).toBeUndefined();
  });

  test("one endpoint for two databases: the second task would be recreated, and that is said", () => {
    const billing = task("billing", "shop", [rule("billing", "invoices")]);
    expect(adopted([source(), shop, orders, billing]).losses.join("\n")).toContain(
      'task "billing": writes through endpoint "shop", tasks.yaml gives it "documentdb-billing": a DMS task can\'t change its endpoint',
    );
  });

  test("a wildcard becomes the collections it takes now; without their names it is refused", () => {
    const all = task("shop-orders", "shop", [rule("shop", "%", { "rule-action": "include" })]);
    expect(refusal([source(), shop, all])).toContain(
      "which collections \"shop.%\" takes can't be told; give --names with the source's collections",
    );
    expect(refusal([source(), shop, all, task("other", "shop", [rule("shop", "x")])])).toContain(
      'task "shop-orders": no collection of it can be told, so it can\'t be declared',
    );
    const names = [{ database: "shop", collection: "orders" }];
    const { files, losses, notes } = adopted([source(), shop, all], { names });
    expect(losses).toEqual([]);
    expect(notes[0]).toContain('"shop.%" becomes the 1 collections it takes now (shop.orders)');
    expect(notes[1]).toBe(
      'task "shop-orders": its wildcard stays in DMS until the task is changed in tasks.yaml; a collection that appears before is replicated without being declared',
    );
    expect(files["adopted.json"]).toContain('"table-name": "%"');
  });
});

describe("refused, with every reason at once", () => {
  test("two clusters, another kind of task, a tainted one", () => {
    const far = target("far", "archive", { server_name: "elsewhere.test" });
    const cdc = {
      ...task("archive", "far", [rule("archive", "old")], { migration_type: "cdc" }),
      tainted: true,
    };
    const message = refusal([source(), shop, orders, far, cdc]);
    expect(message).toStartWith("refused: ");
    for (const part of ["migration_type is cdc", "is tainted", "server_name differs"])
      expect(message).toContain(part);
    expect(message).not.toContain("elsewhere");
  });

  test("endpoints that are in another state", () => {
    expect(refusal([shop, orders])).toContain("both its endpoints must be in this state");
  });

  test("nothing that replicates", () => {
    expect(refusal([source()])).toContain("no aws_dms_replication_task from engine mongodb to engine docdb");
  });

  test.each([
    ["a raw state file", '{"version":4,"resources":[{"password":"x-secret"}]}', "a raw state file"],
    ["a plan", '{"format_version":"1.2","resource_changes":[]}', "a plan"],
    ["an empty state", '{"format_version":"1.0"}', "a state that is empty"],
    ["no JSON", "password = x-secret", "characters that are not JSON"],
  ])("%s in place of a state", (_, state, got) => {
    const message = refusal([source(), shop, orders], { state });
    expect(message).toContain(got);
    expect(message).not.toContain("x-secret");
  });
});
