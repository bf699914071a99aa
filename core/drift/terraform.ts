import { guarded } from "../plan/guarded-types.ts";
import { listed } from "../plan/words.ts";
import type { InfrastructureChange } from "../ports.ts";
import type { Finding } from "./model.ts";

/** What AWS itself changes all the time, and nobody configures. */
const runtimeAttributes = new Set([
  "status",
  "tags_all",
  "latest_restorable_time",
  "last_modified",
  "version_id",
]);

/**
 * Terraform's state against the world: what was changed behind its back (`drifted`, a refresh) and what it would bring
 * back (`planned`). One finding an address; where both speak, the plan is what a person has to know.
 */
export function terraformFindings(plan: {
  readonly planned: readonly InfrastructureChange[];
  readonly drifted: readonly InfrastructureChange[];
}): Finding[] {
  const gone = new Set(
    plan.drifted.filter(({ action }) => action === "delete").map(({ address }) => address),
  );
  const planned = new Set(plan.planned.map(({ address }) => address));
  const drifted = plan.drifted.filter((change) => !planned.has(change.address) && !isRuntime(change));
  return [
    ...plan.planned.map((change) =>
      finding(change, gone.has(change.address) ? "deleted behind Terraform's back" : words(change)),
    ),
    ...drifted.map((change) =>
      finding(
        change,
        change.action === "delete"
          ? "deleted behind Terraform's back"
          : `changed behind Terraform's back: ${listed(change.attributes)}`,
      ),
    ),
  ];
}

function isRuntime({ action, attributes }: InfrastructureChange): boolean {
  return action === "update" && attributes.every((name) => runtimeAttributes.has(name));
}

function words({ action, attributes }: InfrastructureChange): string {
  const names = attributes.length > 0 ? ` (${listed(attributes)})` : "";
  return `Terraform would ${action} it${names}`;
}

function finding(change: InfrastructureChange, got: string): Finding {
  const loss = Object.hasOwn(guarded, change.type) ? guarded[change.type] : undefined;
  const dangerous = change.action === "replace" || change.action === "delete";
  return {
    area: "terraform",
    kind: "terraform-changed",
    what: change.address,
    expected: "as the configuration says",
    got,
    fix:
      loss && dangerous && !got.startsWith("deleted")
        ? `don't apply it as it is: ${loss.loss}; ${loss.wayOut}`
        : "roundtrip apply brings it back; when the change is meant, write it into the configuration",
  };
}
