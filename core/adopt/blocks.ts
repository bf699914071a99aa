/** Which object of the old state is which of the new root, as `import`, `moved` and `removed` blocks. */
import { attribute, block, comment, expression, type HclItem, hclString, hclText } from "./hcl.ts";
import { certificateName } from "./resources.ts";
import type { OldSetup } from "./setup.ts";
import type { StateObject } from "./state.ts";

export interface Taken {
  readonly object: StateObject;
  /** Its address in the new root. */
  readonly to: string;
}

/** Everything adopted with its new address; `dms` is what module dms is called. */
export function takenOver(setup: OldSetup, dms: string): Taken[] {
  const { source, targets, tasks, instance, subnetGroup, certificates } = setup;
  return [
    { object: source, to: `module.${dms}.aws_dms_endpoint.source` },
    ...targets.map((object) => ({
      object,
      to: `module.${dms}.aws_dms_endpoint.target[${hclString(object.id)}]`,
    })),
    ...tasks.map(({ object, id }) => ({
      object,
      to: `module.${dms}.aws_dms_replication_task.this[${hclString(id)}]`,
    })),
    ...(instance ? [{ object: instance, to: "aws_dms_replication_instance.adopted" }] : []),
    ...(subnetGroup ? [{ object: subnetGroup, to: "aws_dms_replication_subnet_group.adopted" }] : []),
    ...certificates.map((object, index) => ({ object, to: `aws_dms_certificate.${certificateName(index)}` })),
  ];
}

/**
 * Whether an object can't be moved as it is, because the state holds what the new root doesn't say: an endpoint's password
 * (DMS takes no change of an endpoint whose task runs), or `start_replication_task` (Terraform would stop the task). Such
 * an object is let go of and imported: then Terraform doesn't know of it.
 */
function mustBeImported({ type, value }: StateObject): boolean {
  if (type === "aws_dms_endpoint") return true;
  return (
    type === "aws_dms_replication_task" &&
    (value("start_replication_task") === true || Boolean(value("cdc_start_time")))
  );
}

/** `removed` names a resource with all its instances, so one that must be imported takes the others with it. */
export function importedResources(taken: readonly Taken[], sameState: boolean): Set<string> {
  const all = taken.filter(({ object }) => !sameState || mustBeImported(object));
  return new Set(all.map(({ object }) => object.address.resource));
}

/** `import.tf`. */
export function importText(taken: readonly Taken[]): string {
  return hclText([
    comment("Takes over what exists: nothing is made anew. May be deleted once applied."),
    ...taken.map(({ object, to }) =>
      block("import", [], attribute("to", expression(to)), attribute("id", object.id)),
    ),
  ]);
}

/** `moved.tf`, for what stays in the same state. */
export function movedText(taken: readonly Taken[]): string {
  return hclText([
    comment("The same objects under their new addresses. May be deleted once applied."),
    ...taken
      .filter(({ object, to }) => object.address.text !== to)
      .map(({ object, to }) =>
        block(
          "moved",
          [],
          attribute("from", expression(object.address.text)),
          attribute("to", expression(to)),
        ),
      ),
  ]);
}

/** `removed.tf`: the old addresses are forgotten, their objects stay. */
export function removedText(resources: Iterable<string>): string {
  return hclText([
    comment("Terraform lets go of these addresses and destroys nothing. May be deleted once applied."),
    ...[...resources].map(
      (resource): HclItem =>
        block(
          "removed",
          [],
          attribute("from", expression(resource)),
          block("lifecycle", [], attribute("destroy", false)),
        ),
    ),
  ]);
}
