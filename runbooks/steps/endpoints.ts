/** DMS endpoints as the operations of normal times check and test them. */

import { RoundtripError } from "../../core/errors.ts";
import type { Check } from "../../core/failback/documents.ts";
import { counted } from "../../core/plan/words.ts";
import { secretChecks } from "../../core/replication/endpoint-checks.ts";
import type { TaskLink } from "../../core/replication/ports.ts";
import type { OperationContext } from "../engine/runbook.ts";
import { chosenTasks, type OperationStep, required } from "./selected-tasks.ts";

const testSeconds = 300;

/** Every target endpoint reads the secret that is rotated; clear text is refused with the way out. */
export const checkEndpoints: OperationStep = {
  name: "check-endpoints",
  what: "see that each target endpoint reads its login from the replication user's secret",
  undo: "nothing was changed",
  every: true,
  plan: (context) => [
    { call: "DMS DescribeReplicationTasks", target: arnsOf(context).join(",") },
    { call: "DMS DescribeEndpoints", target: "all" },
  ],
  run: async (context) => {
    const [links, endpoints] = await Promise.all([
      context.endpoints.links(arnsOf(context)),
      context.endpoints.list(),
    ]);
    const { secret } = context.environment.documentdb.replicationUser;
    return { checks: required(secretChecks(endpoints, links, secret)) };
  },
};

/** DMS itself logs in to each endpoint of the given kind, as its tasks will. */
export function testEndpointsStep(sides: readonly ("source" | "target")[]): OperationStep {
  return {
    name: "test-endpoints",
    what: `have DMS log in to each ${sides.join(" and ")} endpoint`,
    undo: "nothing was changed",
    every: true,
    plan: (context) => [
      { call: "DMS DescribeReplicationTasks", target: arnsOf(context).join(",") },
      { call: "DMS TestConnection", target: `each ${sides.join(" and ")} endpoint of these tasks` },
    ],
    run: async (context) => {
      const links = await context.endpoints.links(arnsOf(context));
      const names = new Map((await context.endpoints.list()).map(({ arn, id }) => [arn, id]));
      const checks: Check[] = [];
      for (const { endpoint, instance } of connectionsOf(links, sides)) {
        const name = names.get(endpoint) ?? endpoint;
        context.say(`  testing endpoint ${name}`);
        const { status, failure } = await context.endpoints.test(endpoint, instance, testSeconds);
        checks.push({
          name: `DMS logs in to endpoint ${name}`,
          ok: status === "successful",
          expected: "successful",
          got: failure ? `${status}: ${failure}` : status,
          wayOut: "mend what DMS names (login, network, TLS), then run this again",
        });
      }
      assertSuccessful(checks);
      return { checks, note: `DMS logs in to ${counted(checks.length, "endpoint")}` };
    },
  };
}

function arnsOf(context: OperationContext): string[] {
  return chosenTasks(context).map(({ arn }) => arn);
}

/** Each endpoint once for each replication instance that uses it. */
function connectionsOf(
  links: readonly TaskLink[],
  sides: readonly ("source" | "target")[],
): { endpoint: string; instance: string }[] {
  const found = new Map<string, { endpoint: string; instance: string }>();
  for (const { instanceArn, sourceEndpointArn, targetEndpointArn } of links) {
    for (const side of sides) {
      const endpoint = side === "source" ? sourceEndpointArn : targetEndpointArn;
      found.set(`${endpoint} ${instanceArn}`, { endpoint, instance: instanceArn });
    }
  }
  return [...found.values()];
}

/** A refused login is for a person to mend: nothing is started on it. */
function assertSuccessful(checks: readonly Check[]): void {
  const failed = checks.filter(({ ok }) => !ok);
  if (failed.length === 0) return;
  throw new RoundtripError({
    kind: "unavailable",
    what: failed.map(({ name }) => name).join("; "),
    expected: "successful",
    got: failed.map(({ got }) => got).join("; "),
    wayOut: failed[0]?.wayOut ?? "",
  });
}
