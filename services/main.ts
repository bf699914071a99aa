/** The entry of `roundtrip-worker`: one binary, one verb a service. A verb's code is loaded when it is asked for. */
import { exitCodes } from "../core/errors.ts";

declare const ROUNDTRIP_VERSION: string | undefined;
declare const ROUNDTRIP_COMMIT: string | undefined;

/** Each module runs its verb when it is loaded (runService). */
const verbs: Readonly<Record<string, () => Promise<unknown>>> = {
  replication: () => import("./replication/main.ts"),
  backup: () => import("./backup/main.ts"),
  "monitor-replication": () => import("./monitor-replication/main.ts"),
  restore: () => import("./restore/main.ts"),
  "monitor-restore": () => import("./monitor-restore/main.ts"),
  clean: () => import("./clean/main.ts"),
  "monitor-clean": () => import("./monitor-clean/main.ts"),
  action: () => import("./actions/main.ts"),
};

const verb = process.argv[2] ?? "";
const load = verbs[verb];
if (load) {
  await load();
} else if (verb === "--version") {
  process.stdout.write(`${versionText()}\n`);
} else {
  const asked = verb === "--help" || verb === "-h";
  (asked ? process.stdout : process.stderr).write(usage(asked ? "" : `unknown verb "${verb}"\n\n`));
  process.exitCode = asked ? exitCodes.ok : exitCodes.usage;
}

function versionText(): string {
  const version = typeof ROUNDTRIP_VERSION === "string" ? ROUNDTRIP_VERSION : "0.0.0-source";
  const commit = typeof ROUNDTRIP_COMMIT === "string" ? ROUNDTRIP_COMMIT : "uncommitted";
  return `roundtrip-worker ${version} (${commit})`;
}

function usage(before: string): string {
  const names = Object.keys(verbs).map((name) => `  ${name}`);
  return `${before}roundtrip-worker <verb> [options]\n\nVerbs:\n${names.join("\n")}\n\nroundtrip-worker <verb> --help says more; --version names this build.\n`;
}
