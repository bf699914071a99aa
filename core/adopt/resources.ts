/** What the modules don't hold: instance, subnet group and certificates, as resources of the root that can't be destroyed. */
import { attribute, attributes, block, comment, expression, type HclItem, type HclValue } from "./hcl.ts";
import type { OldSetup } from "./setup.ts";
import type { StateObject } from "./state.ts";
import { tagsOf } from "./tags.ts";

const instanceAttributes = [
  ...["replication_instance_id", "replication_instance_class", "allocated_storage", "multi_az"],
  ...["auto_minor_version_upgrade", "preferred_maintenance_window", "publicly_accessible", "network_type"],
  ...["kms_key_arn", "dns_name_servers"],
];

/** The replication instance and its subnet group, as the state has them; `withFlags` where its state isn't made by an import. */
export function instanceItems({ instance, subnetGroup }: OldSetup, withFlags: boolean): HclItem[] {
  const items: HclItem[] = [];
  if (instance) {
    const plain = Object.fromEntries(
      instanceAttributes.map((name) => [name, instance.value(name) as HclValue]),
    );
    const group = instance.text("replication_subnet_group_id");
    items.push(
      block(
        "resource",
        ["aws_dms_replication_instance", "adopted"],
        ...attributes({
          ...plain,
          ...(instance.value("multi_az") === true
            ? {}
            : { availability_zone: instance.text("availability_zone") }),
          // Unknown to DMS: after an import there are none in the state, and saying them would be a change.
          ...(withFlags ? flags(instance) : {}),
          replication_subnet_group_id: subnetGroup
            ? expression("aws_dms_replication_subnet_group.adopted.id")
            : group,
          vpc_security_group_ids: sorted(instance.value("vpc_security_group_ids")),
          ...tagsAttribute(instance),
        }),
        comment(
          "No engine_version: the instance keeps the one it has, also when AWS has raised it since. Add it to upgrade.",
        ),
        neverDestroyed(),
      ),
    );
  }
  if (subnetGroup)
    items.push(
      block(
        "resource",
        ["aws_dms_replication_subnet_group", "adopted"],
        ...attributes({
          replication_subnet_group_id: subnetGroup.id,
          replication_subnet_group_description: subnetGroup.text("replication_subnet_group_description"),
          subnet_ids: sorted(subnetGroup.value("subnet_ids")),
          ...tagsAttribute(subnetGroup),
        }),
        neverDestroyed(),
      ),
    );
  return items;
}

function flags(instance: StateObject): Record<string, HclValue> {
  const names = ["allow_major_version_upgrade", "apply_immediately"];
  return Object.fromEntries(names.map((name) => [name, (instance.value(name) ?? null) as HclValue]));
}

/** Certificates of the endpoints, without their content. */
export function certificateItems({ certificates }: OldSetup): HclItem[] {
  return certificates.map((certificate, index) =>
    block(
      "resource",
      ["aws_dms_certificate", certificateName(index)],
      ...attributes({ certificate_id: certificate.id, ...tagsAttribute(certificate) }),
      comment("Its content is in DMS; the state calls it sensitive, so it isn't written here."),
      block(
        "lifecycle",
        [],
        attribute("prevent_destroy", true),
        attribute("ignore_changes", expression("[certificate_pem, certificate_wallet]")),
      ),
    ),
  );
}

/** What the certificate at this place is called in the new root. */
export function certificateName(index: number): string {
  return `adopted_${index + 1}`;
}

function neverDestroyed(): HclItem {
  return block("lifecycle", [], attribute("prevent_destroy", true));
}

function tagsAttribute(object: StateObject): { tags?: Record<string, string> } {
  const tags = tagsOf(object);
  return Object.keys(tags).length > 0 ? { tags } : {};
}

/** Nothing where the list is empty: then it is AWS's own. */
function sorted(value: unknown): HclValue | undefined {
  return Array.isArray(value) && value.length > 0
    ? value.filter((each): each is string => typeof each === "string").sort()
    : undefined;
}
