import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";

const github = join(import.meta.dirname, "../../.github");

export interface Input {
  readonly description?: string;
  readonly type?: string;
  readonly required?: boolean;
  readonly default?: string | boolean;
  readonly options?: readonly string[];
}

export interface Step {
  readonly name?: string;
  readonly uses?: string;
  readonly run?: string;
  readonly with?: Readonly<Record<string, unknown>>;
  readonly env?: Readonly<Record<string, string>>;
}

export interface Job {
  readonly if?: string;
  readonly uses?: string;
  readonly permissions?: Readonly<Record<string, string>>;
  readonly environment?: string;
  readonly concurrency?: {
    readonly group: string;
    readonly queue?: string;
    readonly "cancel-in-progress"?: boolean | string;
  };
  readonly "timeout-minutes"?: number;
  readonly steps?: readonly Step[];
}

export interface Workflow {
  /** Name of the file without its ending. */
  readonly file: string;
  readonly text: string;
  readonly name: string;
  readonly on: Readonly<Record<string, { readonly inputs?: Readonly<Record<string, Input>> } | null>>;
  readonly permissions: unknown;
  readonly jobs: Readonly<Record<string, Job>>;
}

function read<Content>(path: string): Content & { text: string } {
  const text = readFileSync(join(github, path), "utf8");
  return { ...(parse(text) as Content), text };
}

export const workflows: readonly Workflow[] = readdirSync(join(github, "workflows"))
  .sort()
  .map((name) => ({ ...read<Workflow>(`workflows/${name}`), file: name.replace(/\.yml$/, "") }));

export const actions = readdirSync(join(github, "actions")).map((name) => ({
  name,
  ...read<{
    readonly inputs?: Readonly<Record<string, Input>>;
    readonly runs: { readonly using: string; readonly steps: readonly Step[] };
  }>(`actions/${name}/action.yml`),
}));

export const jobs = workflows.flatMap((workflow) =>
  Object.entries(workflow.jobs).map(([name, job]) => ({ title: `${workflow.file} ${name}`, workflow, job })),
);

/** Every step there is, of jobs and of composite actions. */
export const steps = [
  ...jobs.flatMap(({ title, job }) => (job.steps ?? []).map((step) => ({ title, step }))),
  ...actions.flatMap(({ name, runs }) => runs.steps.map((step) => ({ title: `action ${name}`, step }))),
];
