import { Question } from "./line.ts";
import type { Fact, PreflightLine } from "./model.ts";

/** What the runner found by itself. */
export interface RunnerFacts {
  /** The environment's document was read and keeps its schema. */
  readonly environment: Fact<string>;
  readonly bucket: Fact<string>;
  /** State of the operations host as EC2 has it. */
  readonly instance: Fact<string>;
  /** A dry run of create-user-db: unknown where there is no such function, failed where it says what is wrong. */
  readonly createUserDb: Fact<{ readonly name: string; readonly failure?: string }>;
}

/** The lines about what the runner asks AWS itself. */
export function awsLines(facts: RunnerFacts): PreflightLine[] {
  return [
    environment(facts.environment),
    bucket(facts.bucket),
    instance(facts.instance),
    createUserDb(facts.createUserDb),
  ];
}

function environment(fact: Fact<string>): PreflightLine {
  const question = new Question(
    "AWS",
    "environment is published",
    "its SSM parameter, by schemas/environment.schema.json",
  );
  if ("value" in fact) return question.ok(fact.value);
  return question.failed(
    fact.unknown,
    "apply the stack of this environment; or check --env, the account and the region",
  );
}

function bucket(fact: Fact<string>): PreflightLine {
  const question = new Question("AWS", "bucket", "the runner reads it");
  if ("value" in fact) return question.ok(fact.value);
  return question.failed(fact.unknown, "apply the stack, and let the runner's role list and read the bucket");
}

function instance(fact: Fact<string>): PreflightLine {
  const question = new Question("AWS", "operations host", "running");
  return question.of(fact, "let the runner's role call ec2:DescribeInstances", (state) =>
    state === "running" ? question.ok() : question.failed(state, "start the instance, or see who stopped it"),
  );
}

function createUserDb(fact: RunnerFacts["createUserDb"]): PreflightLine {
  const expected = "a dry run succeeds: master secret with username and password, way to DocumentDB";
  const question = new Question("AWS", "create-user-db", expected);
  const missing =
    "apply the stack: it makes the function and publishes its name as createUserDbFunction; let the runner's role invoke it";
  return question.of(fact, missing, ({ name, failure }) =>
    failure === undefined
      ? question.ok(`${name} answered`)
      : question.failed(failure, "do what the message says, see docs/create-user-db.md"),
  );
}
