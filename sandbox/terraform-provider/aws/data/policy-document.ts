/** aws_iam_policy_document: no call, only text. */
import type { DataSource } from "../../resource.ts";
import { elements, isObject, text, type Value, type Values } from "../../values.ts";

interface Statement {
  Sid?: string;
  [field: string]: unknown;
}
interface Document {
  Version?: string;
  Id?: string;
  Statement: Statement[];
}

/** One value stands alone, several as a list in reverse order: so the provider writes sets. */
function oneOrMany(value: Value | undefined): unknown {
  const texts = elements(value).filter((each): each is string => typeof each === "string");
  const sorted = [...texts].sort().reverse();
  return sorted.length === 1 ? sorted[0] : sorted;
}

function has(value: Value | undefined): boolean {
  return elements(value).length > 0;
}

function principals(value: Value | undefined): unknown {
  const blocks = elements(value).filter(isObject);
  if (blocks.length === 1 && blocks[0]!.type === "*") return "*";
  const byType = new Map<string, string[]>();
  for (const { type, identifiers } of blocks) {
    const texts = elements(identifiers).filter((each): each is string => typeof each === "string");
    byType.set(String(type), [...(byType.get(String(type)) ?? []), ...texts]);
  }
  return Object.fromEntries([...byType].sort().map(([type, ids]) => [type, oneOrMany(ids)]));
}

function conditions(value: Value | undefined): object {
  const result: Record<string, Record<string, unknown>> = {};
  for (const block of elements(value).filter(isObject)) {
    const values = elements(block.values).map(String);
    const test = String(block.test);
    result[test] = { ...result[test], [String(block.variable)]: values.length === 1 ? values[0] : values };
  }
  return result;
}

function statementOf(block: Values): Statement {
  return {
    ...(text(block.sid) ? { Sid: text(block.sid)! } : {}),
    Effect: text(block.effect) ?? "Allow",
    ...(has(block.actions) ? { Action: oneOrMany(block.actions) } : {}),
    ...(has(block.not_actions) ? { NotAction: oneOrMany(block.not_actions) } : {}),
    ...(has(block.resources) ? { Resource: oneOrMany(block.resources) } : {}),
    ...(has(block.not_resources) ? { NotResource: oneOrMany(block.not_resources) } : {}),
    ...(has(block.principals) ? { Principal: principals(block.principals) } : {}),
    ...(has(block.not_principals) ? { NotPrincipal: principals(block.not_principals) } : {}),
    ...(has(block.condition) ? { Condition: conditions(block.condition) } : {}),
  };
}

function parse(value: Value): Document {
  return JSON.parse(String(value)) as Document;
}

/** Statements of the second replace those of the first that have the same Sid. */
function overridden(statements: readonly Statement[], by: readonly Statement[]): Statement[] {
  const replaced = statements.map(
    (each) => by.find(({ Sid }) => Sid !== undefined && Sid === each.Sid) ?? each,
  );
  return [...replaced, ...by.filter((each) => !replaced.includes(each))];
}

export const policyDocument: DataSource = {
  rules: {
    source: "github.com/hashicorp/terraform-provider-aws internal/service/iam/policy_document_data_source.go",
    oneOf: { "statement.effect": ["Allow", "Deny"], version: ["2008-10-17", "2012-10-17"] },
  },
  async read(config) {
    const own = elements(config.statement).filter(isObject).map(statementOf);
    const sources = elements(config.source_policy_documents).flatMap((each) => parse(each).Statement ?? []);
    let statements = overridden(sources, own);
    for (const each of elements(config.override_policy_documents))
      statements = overridden(statements, parse(each).Statement ?? []);
    const document: Document = {
      Version: text(config.version) ?? "2012-10-17",
      ...(text(config.policy_id) ? { Id: text(config.policy_id)! } : {}),
      Statement: statements,
    };
    const minified = JSON.stringify(document);
    return {
      id: String(Bun.hash.crc32(minified)),
      version: document.Version ?? null,
      json: JSON.stringify(document, null, 2),
      minified_json: minified,
    };
  },
};
