import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseAllDocuments } from "yaml";

const repository = join(import.meta.dirname, "../..");
const read = (path: string) => readFileSync(join(repository, path), "utf8");

/** The members of a manifest that the tests look at. */
interface CronJob {
  readonly kind: string;
  readonly spec: {
    readonly schedule: string;
    readonly timeZone: string;
    readonly concurrencyPolicy: string;
    readonly jobTemplate: {
      readonly spec: {
        readonly podFailurePolicy: {
          readonly rules: readonly { readonly onExitCodes: { readonly values: number[] } }[];
        };
        readonly template: {
          readonly spec: {
            readonly serviceAccountName: string;
            readonly containers: readonly {
              readonly command: string[];
              readonly volumeMounts: readonly { readonly name: string }[];
            }[];
            readonly volumes: readonly { readonly name: string }[];
          };
        };
      };
    };
  };
}

const [account, job] = parseAllDocuments(read("docs/examples/backup-cronjob.yaml"), { strict: true }).map(
  (document) => {
    expect(document.errors).toEqual([]);
    return document.toJS() as CronJob & { readonly metadata: { readonly name: string } };
  },
);

test("the example for Kubernetes runs once a day at midnight UTC, one at a time, as its own service account", () => {
  expect([account?.kind, job?.kind]).toEqual(["ServiceAccount", "CronJob"]);
  expect(job!.spec).toMatchObject({
    schedule: "0 0 * * *",
    timeZone: "Etc/UTC",
    concurrencyPolicy: "Forbid",
  });
  const pod = job!.spec.jobTemplate.spec.template.spec;
  expect(pod.serviceAccountName).toBe(account!.metadata.name);
  expect(pod.containers[0]!.command.slice(1)).toEqual(["mongodb-backup"]);
  const mounted = pod.containers[0]!.volumeMounts.map(({ name }) => name).sort();
  expect(mounted).toEqual(pod.volumes.map(({ name }) => name).sort());
});

test("the example for Kubernetes ends where the unit does: the same exit codes are tried again", () => {
  const [rule] = job!.spec.jobTemplate.spec.podFailurePolicy.rules;
  const unit = /^RestartPreventExitStatus=(.*)$/m.exec(read("services/units/backup.service"))![1]!;
  expect(rule!.onExitCodes.values).toEqual(unit.split(" ").map(Number));
});
