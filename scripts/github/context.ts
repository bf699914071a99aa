import { systemClock } from "../../adapters/clock.ts";
import { connectGitHub, type GitHub, type Repository } from "../../adapters/github/client.ts";
import { RoundtripError } from "../../core/errors.ts";

export type Variables = Readonly<Record<string, string | undefined>>;

/** Where a workflow's job stands: its repository, and GitHub with the job's own token. */
export interface JobContext {
  readonly github: GitHub;
  readonly repository: Repository;
  /** Whose comments and issues are ours. */
  readonly author: string;
  readonly variables: Variables;
}

/** The login that GITHUB_TOKEN writes with. */
const workflowAuthor = "github-actions[bot]";

/** From the variables that the runner sets, and GITHUB_TOKEN, which a step has to hand on. Fails `configuration`. */
export function jobContext(variables: Variables): JobContext {
  const token = needed(variables, "GITHUB_TOKEN");
  const [owner = "", repo = ""] = needed(variables, "GITHUB_REPOSITORY").split("/");
  const baseUrl = variables.GITHUB_API_URL ?? "https://api.github.com";
  return {
    github: connectGitHub({ token, baseUrl, clock: systemClock }),
    repository: { owner, repo },
    author: variables.ROUNDTRIP_AUTHOR ?? workflowAuthor,
    variables,
  };
}

/** A variable that has to be there; its value is never part of a message. */
export function needed(variables: Variables, name: string): string {
  const value = variables[name];
  if (value) return value;
  throw new RoundtripError({
    kind: "configuration",
    what: "read the job's variables",
    expected: `${name}`,
    got: "it is not set",
    wayOut: `run this in a workflow whose step hands ${name} on (env:), or set it here`,
  });
}

export function positiveNumber(variables: Variables, name: string): number {
  const value = needed(variables, name);
  if (/^[1-9][0-9]{0,15}$/.test(value)) return Number(value);
  throw new RoundtripError({
    kind: "configuration",
    what: `read ${name}`,
    expected: "a number above 0",
    got: JSON.stringify(value),
    wayOut: "hand on the number as GitHub gives it",
  });
}
