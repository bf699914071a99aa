import { moto, standIn } from "./endpoint.ts";
import { replicationTasksContract } from "./replication-tasks.contract.ts";

const dates = "moto writes a task's dates as text; DMS writes numbers, and the SDK refuses to read text";

replicationTasksContract(standIn);
replicationTasksContract(
  moto({
    "tasks are described by ARN and by identifier, those that don't exist are left out": dates,
    "every table over all pages, none before the first start": dates,
    "the first start is start-replication; then it runs, is stopped, and stays stopped": dates,
    "a task shows what it was made of, when it began to run and when it began anew": dates,
    "a stopped task says why and when it stopped": dates,
    "resuming what never ran, and starting anew what ran, are refused": dates,
    "a running task can't be started, changed or deleted": dates,
    "reloading tables of a task that doesn't run, or that it doesn't have, fails and names them": dates,
    "a used endpoint, instance or running task can't be deleted; a stopped task can": dates,
    "a name that is taken is refused": "moto makes a second endpoint of the same name",
    "a subnet group is made, shown and deleted":
      "moto answers an empty list to a filter that matches nothing; DMS answers ResourceNotFoundFault",
  }),
);
