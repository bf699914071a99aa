import { Question } from "./line.ts";
import type { DeclaredFacts, DmsFacts, Fact, PreflightLine } from "./model.ts";

/** AWS DMS user guide, quotas: of one replication instance. Not to be raised. */
const perInstance = { tasks: 200, endpoints: 100 };
/** Of an account, where DMS does not say. */
const perAccount = { ReplicationTasks: 600, Endpoints: 1000 };

const readable = "let the runner's role read DMS (dms:Describe*), then run preflight again";

/** Whether tasks.yaml, once applied, fits the quotas of its instance and of the account. */
export function quota(
  dms: Fact<DmsFacts>,
  declared: DeclaredFacts,
  what: "tasks" | "endpoints",
): PreflightLine {
  const question = new Question("DMS", `quota of ${what}`, `room for the ${what} tasks.yaml declares`);
  return question.of(dms, readable, (found) => {
    const used = instancesOf(found, declared);
    const counts = used.map((instance) => {
      const needed =
        what === "tasks" ? tasksOn(found, declared, instance.arn) : declared.databases.length + 1;
      return { where: `instance ${instance.id}`, needed, max: perInstance[what] };
    });
    const name = what === "tasks" ? "ReplicationTasks" : "Endpoints";
    const account = found.quotas.find((each) => each.name === name);
    const existing = what === "tasks" ? found.tasks.length : found.endpoints.length;
    const max = account?.max ?? perAccount[name];
    const others = Math.max(account?.used ?? 0, existing) - ownCount(found, declared, what);
    const own = what === "tasks" ? declared.taskIds.length : declared.databases.length + 1;
    counts.push({ where: "account", needed: others + own, max });
    const words = (each: (typeof counts)[number]) => `${each.needed} of ${each.max} (${each.where})`;
    const over = counts.filter(({ needed, max: limit }) => needed > limit);
    if (over.length === 0) return question.ok(counts.map(words).join(", "));
    return question.failed(
      over.map(words).join(", "),
      what === "tasks"
        ? "put more collections into fewer tasks, add a replication instance, or ask AWS to raise the account's quota (Service Quotas, DMS)"
        : "endpoints of databases no longer replicated can go; a second replication instance takes more, the account's quota can be raised (Service Quotas, DMS)",
    );
  });
}

/** Tasks on the instance once tasks.yaml is applied. */
function tasksOn({ tasks }: DmsFacts, { taskIds }: DeclaredFacts, instanceArn: string): number {
  return (
    tasks.filter((task) => task.instanceArn === instanceArn && !taskIds.includes(task.id)).length +
    taskIds.length
  );
}

/** How many of the declared ones exist already. */
function ownCount({ tasks }: DmsFacts, { taskIds }: DeclaredFacts, what: "tasks" | "endpoints"): number {
  const own = tasks.filter(({ id }) => taskIds.includes(id));
  return what === "tasks" ? own.length : new Set(own.flatMap(({ endpointArns }) => endpointArns)).size;
}

/** The instances the declared tasks run on; all there are where none of them exists yet. */
function instancesOf({ instances: all, tasks }: DmsFacts, { taskIds }: DeclaredFacts): DmsFacts["instances"] {
  const arns = new Set(tasks.filter(({ id }) => taskIds.includes(id)).map(({ instanceArn }) => instanceArn));
  return arns.size === 0 ? all : all.filter(({ arn }) => arns.has(arn));
}
