/** The entry of `roundtrip-worker`: one binary, one verb a service. A verb's code is loaded when it is asked for. */
import { exitCodes } from "../core/errors.ts";
import { productCommit, productVersion } from "../core/version.ts";

interface Verb {
  readonly does: string;
  /** The module runs its verb when it is loaded (runService). */
  load(): Promise<unknown>;
}

const verbs: Readonly<Record<string, Verb>> = {
  replication: {
    does: "keeps every change of DocumentDB in the log in S3",
    load: () => import("./replication/main.ts"),
  },
  backup: { does: "dumps MongoDB, then DocumentDB", load: () => import("./backup/main.ts") },
  "monitor-replication": {
    does: "waits until capture has drained, then starts restore",
    load: () => import("./monitor-replication/main.ts"),
  },
  restore: {
    does: "applies the log to MongoDB, compares both sides, writes the verdict",
    load: () => import("./restore/main.ts"),
  },
  "monitor-restore": {
    does: "waits for the verdict, then starts clean",
    load: () => import("./monitor-restore/main.ts"),
  },
  clean: {
    does: "after PROVEN: reopens MongoDB, archives, removes what capture left",
    load: () => import("./clean/main.ts"),
  },
  "monitor-clean": {
    does: "waits for clean and backup, then stops the EC2",
    load: () => import("./monitor-clean/main.ts"),
  },
  "mongodb-backup": {
    does: "backs MongoDB up to the bucket, every night",
    load: () => import("./mongodb-backup/main.ts"),
  },
  "oplog-archive": {
    does: "keeps MongoDB's oplog in the bucket, for restores to a point in time",
    load: () => import("./oplog-archive/main.ts"),
  },
  "verify-backup": {
    does: "verifies the newest backup, or the one a person asked for",
    load: () => import("./verify-backup/main.ts"),
  },
  "backup-schedule": {
    does: "brings the backup's timer to the schedule that holds",
    load: () => import("./backup-schedule/main.ts"),
  },
  "dr-test": {
    does: "loses data of its own, brings it back from its backup, and measures how long and how much",
    load: () => import("./dr-test/main.ts"),
  },
  "restore-backup": {
    does: "previews and restores a backup of MongoDB, also to a point in time",
    load: () => import("./restore-backup/main.ts"),
  },
  "publish-metrics": {
    does: "says in CloudWatch how old backups are, and how far capture is behind",
    load: () => import("./publish-metrics/main.ts"),
  },
  action: {
    does: "does one short thing and prints its result as JSON",
    load: () => import("./actions/main.ts"),
  },
};

const verb = process.argv[2] ?? "";
const known = Object.hasOwn(verbs, verb) ? verbs[verb] : undefined;
if (known) {
  await known.load();
} else if (verb === "--version") {
  process.stdout.write(`${versionText()}\n`);
} else {
  const asked = verb === "--help" || verb === "-h";
  (asked ? process.stdout : process.stderr).write(usage(asked ? "" : `unknown verb "${verb}"\n\n`));
  process.exitCode = asked ? exitCodes.ok : exitCodes.usage;
}

function versionText(): string {
  return `roundtrip-worker ${productVersion()} (${productCommit()})`;
}

function usage(before: string): string {
  const width = Math.max(...Object.keys(verbs).map((name) => name.length));
  const rows = Object.entries(verbs).map(([name, { does }]) => `  ${name.padEnd(width)}  ${does}`);
  return `${before}roundtrip-worker <verb> [options]\n\nVerbs:\n${rows.join("\n")}\n\nroundtrip-worker <verb> --help says more; --version names this build.\n`;
}
