/** The schemas are the contracts; what the program writes has to keep them, and they have to refuse what it never writes. */
import { describe, expect, test } from "bun:test";
import Ajv2020 from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import { readJson } from "../../adapters/state/json.ts";
import { defaultBackupSettings } from "../../core/backup/settings.ts";
import { exitCodes, RoundtripError } from "../../core/errors.ts";
import {
  type ActionResult,
  defaultSettings,
  type Environment,
  type ServiceStatus,
} from "../../core/failback/documents.ts";
import actionResultSchema from "../../schemas/action-result.schema.json";
import environmentSchema from "../../schemas/environment.schema.json";
import scopeSchema from "../../schemas/scope.schema.json";
import statusSchema from "../../schemas/status.schema.json";
import type { Databases } from "../../services/access/databases.ts";
import { check, passed } from "../../services/actions/action.ts";
import { findAction } from "../../services/actions/parameters.ts";
import { runAction } from "../../services/actions/run-action.ts";
import { ServiceWorld, worldEnvironment, worldFailbackId, worldScope } from "../support/service-world.ts";
import { waitFor } from "../support/wait-for.ts";

const ajv = new Ajv2020({ strict: true, strictRequired: false, strictTypes: false, allErrors: true });
addFormats(ajv);

/** What is wrong with a value, in words; empty when it keeps the schema. */
function problems(schema: object, value: unknown): string {
  const validate = ajv.compile(schema);
  return validate(value) ? "" : ajv.errorsText(validate.errors);
}

describe("action-result.schema.json", () => {
  const run = async (
    outcome: () => Promise<{ checks: ActionResult["checks"]; data: ActionResult["data"] }>,
  ) => {
    using world = new ServiceWorld();
    await world.enter("capturing");
    const given = { failbackId: worldFailbackId, values: new Map<string, string>() };
    const deps = { service: world.service, databases: {} as Databases };
    return (await runAction(findAction("canary"), outcome, given, deps)).result;
  };

  test("holds for a success, for a refusal and for a failure", async () => {
    const refused = check("it", false, { expected: "a", got: "b", wayOut: "c" });
    const failure = new RoundtripError({ kind: "denied", what: "w", expected: "e", got: "g", wayOut: "o" });
    for (const result of [
      await run(async () => ({ checks: [passed("it", "holds")], data: { a: [1] } })),
      await run(async () => ({ checks: [passed("one", "holds"), refused], data: {} })),
      await run(() => Promise.reject(failure)),
    ]) {
      expect(problems(actionResultSchema, result)).toBe("");
    }
  });

  test("refuses ok beside a check that is not, and a failed check without a way out", () => {
    const result = { action: "canary", failbackId: "f", ok: true, data: {}, at: "2026-11-21T00:00:00.000Z" };
    const failed = { name: "it", ok: false, expected: "a", got: "b", wayOut: "c" };
    expect(problems(actionResultSchema, { ...result, checks: [failed] })).not.toBe("");
    const { wayOut: _left, ...without } = failed;
    expect(problems(actionResultSchema, { ...result, ok: false, checks: [without] })).toContain("wayOut");
  });
});

describe("status.schema.json", () => {
  const written = async (use: (world: ServiceWorld) => Promise<void>): Promise<ServiceStatus> => {
    using world = new ServiceWorld();
    world.service.status.bind(worldFailbackId);
    await use(world);
    const key = world.keys.status("test");
    await waitFor("the status", async () => (await world.store.head(key)) !== undefined);
    return (await readJson<ServiceStatus>(world.store, key))!.value;
  };

  test("holds for a service that belongs to no failback", async () => {
    using world = new ServiceWorld();
    world.service.status.bindTo("backups/status/test.json");
    await world.service.status.end("finished", exitCodes.ok);
    const found = (await readJson<ServiceStatus>(world.store, "backups/status/test.json"))?.value;
    expect(problems(statusSchema, found)).toBe("");
  });

  test("holds for a service at work and for one that has ended, well or badly", async () => {
    const progress = { done: 1, total: 10, unit: "events", perSecond: 2, etaSeconds: 4 };
    const failure = new RoundtripError({
      kind: "historyLost",
      what: "w",
      expected: "e",
      got: "g",
      wayOut: "o",
    });
    for (const status of [
      await written(async ({ service }) =>
        service.status.update({ state: "running", progress, detail: { fence: 1 } }),
      ),
      await written(({ service }) => service.status.end("finished", exitCodes.ok)),
      await written(({ service }) => service.status.end("failed", failure.exitCode, failure)),
    ]) {
      expect(problems(statusSchema, status)).toBe("");
    }
  });

  test("refuses a failure without its message, and numbers that are not flat", async () => {
    const status = await written(({ service }) => service.status.end("finished", exitCodes.ok));
    expect(problems(statusSchema, { ...status, state: "failed", exitCode: 10 })).toContain("error");
    expect(problems(statusSchema, { ...status, detail: { nested: { a: 1 } } })).not.toBe("");
  });
});

describe("scope.schema.json", () => {
  test("holds for a scope, forced or not", () => {
    expect(problems(scopeSchema, worldScope)).toBe("");
    expect(problems(scopeSchema, { ...worldScope, forced: "MongoDB is sick" })).toBe("");
  });

  test("refuses one without collections, without application users, or with a value in the place of a secret's name", () => {
    expect(problems(scopeSchema, { ...worldScope, databases: [{ name: "shop", collections: [] }] })).not.toBe(
      "",
    );
    expect(problems(scopeSchema, { ...worldScope, applicationUsers: [] })).not.toBe("");
    const user = { name: "application", secret: "application-secret", password: "p" };
    expect(problems(scopeSchema, { ...worldScope, applicationUsers: [user] })).not.toBe("");
  });
});

describe("environment.schema.json", () => {
  const environment: Environment = {
    ...worldEnvironment,
    instanceId: "i-0123456789abcdef0",
    kafka: { nodes: [1, 2].map((id) => ({ id, instanceId: `i-${id}`, privateIp: `10.0.${id}.10` })) },
    replicationTasks: [{ id: "shop", arn: "arn:aws:dms:eu-west-1:123456789012:task:SHOP" }],
    settings: defaultSettings,
    backups: { ...defaultBackupSettings, levels: [1, 3], scratchSecret: "scratch", oplogFlushSeconds: 5 },
  };

  test("holds for an environment with every setting there is", () => {
    expect(problems(environmentSchema, environment)).toBe("");
  });

  test("refuses an unknown setting and a missing secret", () => {
    expect(problems(environmentSchema, { ...environment, settings: { speed: "high" } })).not.toBe("");
    expect(problems(environmentSchema, { ...environment, mongodb: {} })).not.toBe("");
  });
});
