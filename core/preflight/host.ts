import { part, Question } from "./line.ts";
import type { Fact, HostFacts, PreflightLine, SecretFacts } from "./model.ts";

const reach = "let the host answer first (the line above), then run preflight again";

/** The lines about the host and what it can reach. `facts` is unknown when it did not answer. */
export function hostLines(facts: Fact<HostFacts>, instanceId: string): PreflightLine[] {
  return [answers(facts, instanceId), store(facts), ec2(part(facts, (host) => host.ec2)), ...secrets(facts)];
}

function answers(facts: Fact<HostFacts>, instanceId: string): PreflightLine {
  const question = new Question(
    "host",
    "answers through SSM",
    "action preflight runs on the operations host",
  );
  if ("value" in facts) return question.ok(`${instanceId} answered`);
  return question.failed(
    facts.unknown,
    `see that ${instanceId} is on and Online in SSM (agent, instance profile, the VPC's endpoints for ssm, ssmmessages and ec2messages), and that its worker and the SSM documents are of this version`,
  );
}

/** Its answer came through the bucket: what it wrote was read here, hash and all. */
function store(facts: Fact<HostFacts>): PreflightLine {
  const question = new Question("host", "reaches S3", "writes to the environment's bucket");
  return question.of(facts, reach, () => question.ok("its answer came through the bucket"));
}

function ec2(fact: Fact<string>): PreflightLine {
  const question = new Question("host", "reaches EC2", "sees the failback host: clean stops it at the end");
  const fix =
    "give the host's subnets a way to EC2 (interface endpoint ec2, or NAT) and its role ec2:DescribeInstances";
  if ("unknown" in fact) return question.unknown(fact.unknown, fix);
  return question.ok(fact.value);
}

function secrets(facts: Fact<HostFacts>): PreflightLine[] {
  if ("value" in facts) return facts.value.secrets.map(secret);
  const question = new Question("host", "reads the secrets", "each secret the environment names");
  return [question.unknown(facts.unknown, reach)];
}

function secret({ name, use, address, fields }: SecretFacts): PreflightLine {
  const expected = address ? "uri, or host, username and password" : "username and password, or uri";
  const question = new Question("host", `secret of ${use}`, expected);
  const readable = `create ${name}, let the host's role read it, and give its subnets a way to Secrets Manager (interface endpoint secretsmanager)`;
  if ("unknown" in fields) return question.failed(`${name}: ${fields.unknown}`, readable);
  const needed = address ? ["host", "username", "password"] : ["username", "password"];
  const missing = fields.value.includes("uri") ? [] : needed.filter((field) => !fields.value.includes(field));
  if (missing.length === 0) return question.ok(`${name} has them`);
  return question.failed(
    `${name} has no ${missing.join(", ")}`,
    `store the missing fields in ${name} (docs/users-and-secrets.md)`,
  );
}
