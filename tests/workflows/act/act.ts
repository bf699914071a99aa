/** One run of a workflow by `act`, in self-hosted mode: the jobs' steps are processes of this machine. */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { workflowTool } from "../../../scripts/setup/workflow-tools.ts";

const minutesMax = 10;

export interface ActEvent {
  /** File of the workflow without its ending. */
  readonly workflow: string;
  readonly name: "pull_request" | "pull_request_review" | "push" | "workflow_dispatch" | "schedule";
  readonly payload: object;
}

/** Where act runs and what it knows: GitHub's side of a run. */
export interface Runner {
  /** Checkout that has the workflow. */
  readonly checkout: string;
  /** For act's own files; a folder for each run. */
  readonly folder: string;
  /** Stand-ins of other people's actions, in folders by the action's name. */
  readonly actions: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly variables: Readonly<Record<string, string>>;
  readonly secrets: Readonly<Record<string, string>>;
  /** What the runner sets for each step, like GITHUB_API_URL. */
  readonly steps: Readonly<Record<string, string>>;
}

export interface Annotation {
  readonly level: "error" | "warning" | "notice";
  readonly text: string;
  readonly file?: string;
  readonly line?: number;
  readonly column?: number;
}

export interface ActJob {
  /** Name as GitHub shows it, matrix included. */
  readonly name: string;
  readonly succeeded: boolean;
  /** What its steps printed. */
  readonly log: string;
  /** What its steps put into the summary, in order. */
  readonly summary: string;
  readonly annotations: readonly Annotation[];
}

export interface ActRun {
  readonly code: number;
  readonly jobs: readonly ActJob[];
  /** Everything act said, for the search for secrets and for a failed test. */
  readonly raw: string;
  /** The job that is called so; fails when none or several are. */
  job(name: string): ActJob;
}

interface Entry {
  readonly job?: string;
  readonly jobResult?: string;
  readonly msg?: string;
  readonly raw_output?: boolean;
  readonly command?: string;
  readonly content?: string;
  readonly name?: string;
  readonly arg?: string;
  readonly kvPairs?: Readonly<Record<string, string>>;
}

/**
 * Runs a workflow to its end. Masks are off, so that a secret that is printed is found even where GitHub would star it
 * out. Fails when act itself can't run; a failed job is in what it gives.
 */
export async function runAct(event: ActEvent, runner: Runner): Promise<ActRun> {
  const program = workflowTool("act");
  if (!program) throw new Error("no act: bun scripts/setup.ts --all gets it");
  mkdirSync(runner.folder, { recursive: true });
  const file = (name: string, content: string) => {
    const path = join(runner.folder, name);
    writeFileSync(path, content, { mode: 0o600 });
    return path;
  };
  const lines = (values: Readonly<Record<string, string>>) =>
    Object.entries(values)
      .map(([name, value]) => `${name}='${value}'\n`)
      .join("");
  const workflow = join(runner.checkout, `.github/workflows/${event.workflow}.yml`);
  const args = [
    ...[
      event.name,
      "-C",
      runner.checkout,
      "-W",
      workflow,
      "-e",
      file("event.json", JSON.stringify(event.payload)),
    ],
    ...["--json", "--insecure-secrets", "--no-skip-checkout", "--no-cache-server", "--rm"],
    ...[
      "-P",
      "ubuntu-24.04=-self-hosted",
      "--action-cache-path",
      join(runner.folder, "cache"),
      "--actor",
      "ana",
    ],
    ...[
      "--var-file",
      file("variables", lines(runner.variables)),
      "--secret-file",
      file("secrets", lines(runner.secrets)),
    ],
    ...["--env-file", file("environment", lines(runner.steps)), "--input-file", "/dev/null"],
    ...localRepositories(runner),
  ];
  const child = Bun.spawn([program, ...args], {
    env: { ...runner.environment },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
    timeout: minutesMax * 60_000,
  });
  const [stdout, stderr] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  const code = await child.exited;
  // Workspaces of failed jobs are left behind; GitHub keeps none.
  rmSync(join(runner.folder, "cache"), { recursive: true, force: true });
  return read(code, stdout, stderr);
}

/** Every action of somebody else's that the checkout's workflows use, each at its stand-in. */
function localRepositories({ checkout, actions }: Runner): string[] {
  const github = join(checkout, ".github");
  const texts = readdirSync(github, { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".yml"))
    .map((path) => readFileSync(join(github, path), "utf8"));
  const used = new Set(
    texts.flatMap((text) => [...text.matchAll(/uses: ([\w.-]+\/[\w.-]+@\w+)/g)].map(([, name]) => name!)),
  );
  const known = new Set(readdirSync(actions));
  return [...used].flatMap((name) => {
    const [, action = ""] = /\/([^@]+)@/.exec(name) ?? [];
    if (!known.has(action))
      throw new Error(`act has no stand-in for ${name}: add one to tests/workflows/act/stand-ins`);
    return ["--local-repository", `${name}=${join(actions, action)}`];
  });
}

function read(code: number, stdout: string, stderr: string): ActRun {
  const all = stdout.split("\n").flatMap((line) => (line.startsWith("{") ? [JSON.parse(line) as Entry] : []));
  const entries = all.map((entry) => ({ ...entry, job: entry.job?.trim() }));
  const names = [...new Set(entries.flatMap(({ job }) => (job ? [job] : [])))];
  const jobs = names.map((name) =>
    jobOf(
      name,
      entries.filter(({ job }) => job === name),
    ),
  );
  const raw = `${stdout}\n${stderr}`;
  return {
    code,
    jobs,
    raw,
    job(name) {
      const found = jobs.filter((each) => each.name === name || each.name.endsWith(`/${name}`));
      if (found.length === 1) return found[0]!;
      throw new Error(
        `expected one job ${name}, got ${jobs.map((each) => each.name).join(", ") || raw.slice(-3000)}`,
      );
    },
  };
}

function jobOf(name: string, entries: readonly Entry[]): ActJob {
  return {
    name,
    succeeded: entries.some(({ jobResult }) => jobResult === "success"),
    log: entries
      .filter(({ raw_output, command }) => raw_output || command === "error" || command === "warning")
      .map(({ msg = "" }) => msg)
      .join(""),
    summary: entries
      .flatMap(({ command, content }) => (command === "summary" && content ? [content] : []))
      .join("\n"),
    annotations: entries.flatMap(annotationOf),
  };
}

function annotationOf({ command, kvPairs = {}, arg = "" }: Entry): Annotation[] {
  if (command !== "error" && command !== "warning" && command !== "notice") return [];
  const { file, line, col } = kvPairs;
  return [
    {
      level: command,
      text: arg,
      ...(file ? { file } : {}),
      ...(line ? { line: Number(line) } : {}),
      ...(col ? { column: Number(col) } : {}),
    },
  ];
}
