import type { Resource } from "../resource.ts";
import { endpoint } from "./dms/endpoint.ts";
import { instance } from "./dms/instance.ts";
import { subnetGroup } from "./dms/subnet-group.ts";
import { task } from "./dms/task.ts";

/** Types that can be applied. The others of the schema validate and plan. */
export const resources: Readonly<Record<string, Resource>> = {
  aws_dms_endpoint: endpoint,
  aws_dms_replication_instance: instance,
  aws_dms_replication_subnet_group: subnetGroup,
  aws_dms_replication_task: task,
};
