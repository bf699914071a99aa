import type { ProvisionDifference, ProvisionItem, ProvisionResponse, ProvisionStep } from "./model.ts";

type Lists = Record<"created" | "updated" | "dropped", ProvisionItem[]>;

/** The answer for a difference whose steps were done, or would be with `dryRun`. */
export function responseOf(
  { steps, kept, unchanged }: ProvisionDifference,
  { environment, dryRun }: { readonly environment: string; readonly dryRun: boolean },
): ProvisionResponse {
  const lists: Lists = { created: [], updated: [], dropped: [] };
  for (const step of steps) enter(lists, step);
  return { version: 1, environment, dryRun, ...lists, kept, unchanged };
}

function enter(lists: Lists, step: ProvisionStep): void {
  switch (step.do) {
    case "create-user":
      lists.created.push({ kind: "user", name: step.user, note: rolesInWords(step.roles) });
      return;
    case "update-user":
      lists.updated.push({ kind: "user", name: step.user, note: changesInWords(step) });
      return;
    case "rename-collection": {
      const note = `renamed from ${step.from}`;
      lists.updated.push({ kind: "collection", name: `${step.database}.${step.to}`, note });
      return;
    }
    case "create-collection":
      if (step.createsDatabase) lists.created.push({ kind: "database", name: step.database });
      lists.created.push({ kind: "collection", name: `${step.database}.${step.collection}` });
      return;
    case "drop-collection":
      lists.dropped.push({ kind: "collection", name: `${step.database}.${step.collection}` });
      return;
    case "drop-database": {
      const note = `with ${step.collections.join(", ") || "no collections"}`;
      lists.dropped.push({ kind: "database", name: step.database, note });
      return;
    }
    case "drop-user":
      lists.dropped.push({ kind: "user", name: step.user });
  }
}

/** One step as a log line and a message say it. */
export function stepInWords(step: ProvisionStep): string {
  switch (step.do) {
    case "create-user":
    case "update-user":
    case "drop-user":
      return `${step.do.replace("-", " ")} ${step.user}`;
    case "rename-collection":
      return `rename collection ${step.database}.${step.from} to ${step.to}`;
    case "create-collection":
    case "drop-collection":
      return `${step.do.replace("-", " ")} ${step.database}.${step.collection}`;
    case "drop-database":
      return `drop database ${step.database}`;
  }
}

function rolesInWords(roles: readonly { role: string; db: string }[]): string {
  return roles.map(({ role, db }) => `${role} on ${db}`).join(", ") || "no roles";
}

function changesInWords(step: Extract<ProvisionStep, { do: "update-user" }>): string {
  return [step.password ? "password of the secret" : "", step.roles ? rolesInWords(step.roles) : ""]
    .filter(Boolean)
    .join("; ");
}
