import { RoundtripError } from "../../../core/errors.ts";
import { listed } from "../../../core/plan/words.ts";
import type { ProvisionItem, ProvisionRequest, ProvisionResponse } from "../../../core/provision/model.ts";
import { declaredDatabases } from "../../../core/provision/request.ts";
import type { OperationContext } from "../../engine/runbook.ts";
import type { ApplyStep, ApplyWork } from "../work.ts";

/** Databases and collections on DocumentDB, and what DMS's user may do there. The function is idempotent. */
export function provisionDatabases(work: ApplyWork): ApplyStep {
  return {
    name: "provision",
    what: "make databases and collections on DocumentDB; drop removed ones in dev and qa, keep them in prod",
    undo: "dropped data comes back from a backup only",
    plan: ({ environment }) => [
      {
        call: "Lambda Invoke",
        target: environment.createUserDbFunction ?? "createUserDbFunction (not published)",
      },
    ],
    run: async (context) => {
      const answer = (await context.functions.invoke(
        functionName(context),
        requestOf(work),
      )) as ProvisionResponse;
      const parts = (["created", "updated", "dropped", "kept"] as const)
        .filter((part) => answer[part].length > 0)
        .map((part) => `${part} ${listed(answer[part].map(itemInWords))}`);
      return {
        data: {
          created: answer.created,
          updated: answer.updated,
          dropped: answer.dropped,
          kept: answer.kept,
        },
        note: parts.join("; ") || "all there",
      };
    },
  };
}

function requestOf(work: ApplyWork): ProvisionRequest {
  return {
    version: 1,
    environment: work.environment,
    databases: declaredDatabases(work.head),
    ...(work.base ? { previous: declaredDatabases(work.base) } : {}),
  };
}

function itemInWords({ kind, name, note }: ProvisionItem): string {
  const what = kind === "collection" ? name : `${kind} ${name}`;
  return note ? `${what} (${note})` : what;
}

function functionName({ environment }: OperationContext): string {
  if (environment.createUserDbFunction) return environment.createUserDbFunction;
  throw new RoundtripError({
    kind: "configuration",
    what: `find the create-user-db function of environment ${environment.environment}`,
    expected: "createUserDbFunction in the published environment",
    got: "none",
    wayOut: "apply the stack whose version has the lambda module, then run this again",
  });
}
