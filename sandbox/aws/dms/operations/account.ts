/** What an account may have of DMS, and has. */
import type { Input } from "../input.ts";
import type { Dms } from "../service.ts";

/** The default quotas of a region; `/_sandbox/dms` lowers those of tasks and endpoints. */
function describeAccountAttributes(dms: Dms, _input: Input): object {
  const { tasksMax, endpointsMax } = dms.store.knobs();
  const quota = (AccountQuotaName: string, Used: number, Max: number) => ({ AccountQuotaName, Used, Max });
  const instances = dms.store.all("instance");
  return {
    AccountQuotas: [
      quota("ReplicationInstances", instances.length, 60),
      quota(
        "AllocatedStorage",
        instances.reduce((sum, each) => sum + each.allocatedStorage, 0),
        30_000,
      ),
      quota("ReplicationSubnetGroups", dms.store.all("subnetGroup").length, 60),
      quota("ReplicationTasks", dms.store.all("task").length, tasksMax),
      quota("Endpoints", dms.store.all("endpoint").length, endpointsMax),
    ],
    UniqueAccountIdentifier: `c${dms.context.account}`,
  };
}

export const accountOperations = { DescribeAccountAttributes: describeAccountAttributes };
