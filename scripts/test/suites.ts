import { existsSync } from "node:fs";
import { kafkaLibraries } from "../setup/kafka.ts";
import { hasPictureTools } from "../setup/picture-tools.ts";
import { terraformLinter } from "../setup/terraform-linters.ts";
import { workflowTool } from "../setup/workflow-tools.ts";

/** Why a suite can't run here. `installable`: installing something mends it, so that REQUIRE_ALL=1 counts it as failed. */
export interface Missing {
  readonly reason: string;
  readonly installable: boolean;
}

interface Named {
  readonly name: string;
  /** A suite that has not ended by then is killed and has failed. */
  readonly minutesMax: number;
  /** Undefined when it can run. */
  missing?(): Promise<Missing | undefined>;
}

/** Test files and folders, from the root; their counts are those of `bun test`. */
export interface TestSuite extends Named {
  readonly tests: readonly string[];
  /** Takes the tests as its arguments, in the place of `bun test`. */
  readonly launcher?: readonly string[];
  /** How many files run at once; 1 where the tests start many processes or look at the whole machine. */
  readonly parallel?: number;
}

/** A command that is one check: exit code 0 or not. */
export interface CommandSuite extends Named {
  readonly command: readonly string[];
}

export type Suite = TestSuite | CommandSuite;

async function systemdMissing(): Promise<Missing | undefined> {
  if (process.getuid?.() !== 0) return { reason: "needs root", installable: false };
  const tools = ["/usr/bin/systemd-nspawn", "/usr/sbin/debootstrap"].filter((path) => !existsSync(path));
  if (tools.length === 0) return undefined;
  return { reason: `no ${tools.join(", ")} (bun scripts/setup.ts --all)`, installable: true };
}

async function terraformMissing(): Promise<Missing | undefined> {
  return Bun.which("terraform") ? undefined : { reason: "no terraform on PATH", installable: false };
}

const setupPollMs = 500;
const setupSecondsMax = 600;

/** Their set-up may still be at work beside the suites before this one: SETUP_PID is its process (.ci/run). */
async function terraformLintersMissing(): Promise<Missing | undefined> {
  const pid = Number(process.env.SETUP_PID);
  for (let waited = 0; isAlive(pid) && waited < setupSecondsMax * 1000; waited += setupPollMs)
    await Bun.sleep(setupPollMs);
  if (terraformLinter("tflint")) return undefined;
  return { reason: "no tflint and checkov as pinned (bun scripts/setup.ts --all)", installable: true };
}

async function workflowToolsMissing(
  ...names: Parameters<typeof workflowTool>[0][]
): Promise<Missing | undefined> {
  const missing = names.filter((name) => !workflowTool(name));
  if (missing.length === 0) return undefined;
  return { reason: `no ${missing.join(", ")} (bun scripts/setup.ts --all)`, installable: true };
}

async function picturesMissing(): Promise<Missing | undefined> {
  if (!Bun.which("chromium")) return { reason: "no chromium (apt-get install chromium)", installable: true };
  if (hasPictureTools()) return undefined;
  return { reason: "nothing in tools/pictures/node_modules (npm ci there)", installable: true };
}

async function kafkaMissing(): Promise<Missing | undefined> {
  if (Bun.which("java") && kafkaLibraries()) return terraformMissing();
  return { reason: "no Java, or no Kafka by Maven (bun scripts/setup.ts --all)", installable: true };
}

function isAlive(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** A thing that a variable names and that no installer brings. */
async function variableMissing(name: string, what: string): Promise<Missing | undefined> {
  return process.env[name] ? undefined : { reason: `${name} names no ${what}`, installable: false };
}

/** Every suite there is, the quick checks first. Each test file belongs to exactly one (suites.test.ts). */
export const suites: readonly Suite[] = [
  { name: "types", command: ["tsc", "--noEmit"], minutesMax: 5 },
  {
    name: "lint and import direction",
    command: ["biome", "ci", "--diagnostic-level=error", "--colors=off", "."],
    minutesMax: 3,
  },
  { name: "unused code", command: ["knip", "--no-progress"], minutesMax: 3 },
  { name: "core", tests: ["core"], minutesMax: 5 },
  { name: "house", tests: ["scripts", "tests/house", "tests/schemas", "tests/support"], minutesMax: 5 },
  { name: "adapters and contracts", tests: ["adapters"], minutesMax: 8 },
  { name: "services and runbooks", tests: ["services", "runbooks"], minutesMax: 8 },
  // The longest first: the others fit beside it.
  {
    name: "Terraform: stand-in provider, modules, adopt",
    tests: ["sandbox/terraform-provider", "tests/terraform", "tests/terraform-kills", "tests/adopt"],
    minutesMax: 22,
    missing: terraformMissing,
  },
  { name: "stand-in: database", tests: ["sandbox/database"], minutesMax: 10 },
  { name: "pymongo on the database stand-in", tests: ["tests/pymongo"], minutesMax: 5 },
  { name: "stand-in: documentdb", tests: ["sandbox/documentdb"], minutesMax: 8 },
  { name: "stand-in: aws", tests: ["sandbox/aws"], minutesMax: 10 },
  { name: "stand-in: github", tests: ["sandbox/github"], minutesMax: 3 },
  {
    name: "workflows",
    tests: [
      "tests/workflows/rules.test.ts",
      "tests/workflows/inputs.test.ts",
      "tests/workflows/set-up.test.ts",
      "tests/workflows/cancel.test.ts",
    ],
    minutesMax: 3,
  },
  {
    name: "workflow linters",
    tests: ["tests/workflows/linters.test.ts"],
    minutesMax: 3,
    missing: () => workflowToolsMissing("actionlint", "zizmor"),
  },
  {
    name: "workflows, run by act",
    tests: ["tests/workflows/act"],
    minutesMax: 10,
    // Workflows apply with Terraform.
    missing: async () => (await workflowToolsMissing("act")) ?? (await terraformMissing()),
  },
  { name: "upgrade of the worker", tests: ["tests/upgrade"], parallel: 1, minutesMax: 6 },
  { name: "break-glass", tests: ["tests/break-glass"], parallel: 1, minutesMax: 5 },
  { name: "release", tests: ["tests/release"], parallel: 1, minutesMax: 5 },
  { name: "pictures", tests: ["tests/pictures"], minutesMax: 2, missing: picturesMissing },
  { name: "stand-in: host", tests: ["sandbox/host", "tests/systemd/stand-in.test.ts"], minutesMax: 8 },
  { name: "sandbox up", tests: ["sandbox/up"], minutesMax: 5 },
  {
    name: "Kafka on real brokers",
    tests: ["tests/kafka"],
    parallel: 1,
    minutesMax: 6,
    missing: kafkaMissing,
  },
  { name: "apply", tests: ["tests/apply"], minutesMax: 10 },
  { name: "use cases", tests: ["tests/use-cases"], minutesMax: 10 },
  { name: "preflight", tests: ["tests/preflight"], parallel: 1, minutesMax: 5 },
  { name: "plan, drift and readiness", tests: ["tests/live"], parallel: 1, minutesMax: 5 },
  { name: "failback scenarios", tests: ["tests/failback"], minutesMax: 12 },
  { name: "backups", tests: ["tests/backups"], parallel: 1, minutesMax: 5 },
  { name: "drill", tests: ["tests/drill"], parallel: 1, minutesMax: 8 },
  { name: "chaos sample", tests: ["tests/chaos"], parallel: 1, minutesMax: 8 },
  {
    name: "units under real systemd",
    tests: ["container", "first-boot", "kafka-node"].map((name) => `tests/systemd/${name}.test.ts`),
    launcher: ["bun", "tests/systemd/run.ts"],
    minutesMax: 12,
    missing: systemdMissing,
  },
  {
    name: "Terraform linters",
    tests: ["tests/terraform-linters"],
    minutesMax: 4,
    missing: terraformLintersMissing,
  },
  {
    name: "drivers' specification tests",
    tests: ["tests/specifications"],
    parallel: 1,
    minutesMax: 15,
    missing: () => variableMissing("SPECIFICATIONS", "checkout of mongodb/specifications"),
  },
  {
    name: "drill on a real mongod",
    command: ["bun", "scripts/drill.ts", "--changes", "2000", "--docs", "300", "--report", "/dev/null"],
    minutesMax: 8,
    missing: () => variableMissing("MONGOD", "mongod"),
  },
];
