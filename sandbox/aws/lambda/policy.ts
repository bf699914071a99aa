import type { Database } from "bun:sqlite";
import { type Input, optionalText, requiredText } from "../input.ts";
import { AwsError } from "../service.ts";

/** A statement of a function's own policy: which service may call it, for which of its things. */
interface Statement {
  readonly Sid: string;
  readonly Effect: "Allow";
  readonly Principal: { readonly Service: string } | { readonly AWS: string };
  readonly Action: string;
  readonly Resource: string;
  readonly Condition?: {
    readonly StringEquals?: { readonly "AWS:SourceAccount": string };
    readonly ArnLike?: { readonly "AWS:SourceArn": string };
  };
}

/** The policies of functions, a statement each row. */
export class FunctionPolicies {
  constructor(private readonly db: Database) {
    db.run(
      "CREATE TABLE IF NOT EXISTS lambda_statements (name TEXT, sid TEXT, statement TEXT, PRIMARY KEY (name, sid))",
    );
  }

  /** AddPermission: gives the statement as text. */
  add(name: string, functionArn: string, input: Input): string {
    const sid = requiredText(input, "StatementId");
    if (this.of(name).some(({ Sid }) => Sid === sid))
      throw new AwsError(
        "ResourceConflictException",
        `The statement id (${sid}) provided already exists. Please provide a new statement id, or remove the existing statement.`,
        409,
      );
    const principal = requiredText(input, "Principal");
    const [account, arn] = [optionalText(input, "SourceAccount"), optionalText(input, "SourceArn")];
    const statement: Statement = {
      Sid: sid,
      Effect: "Allow",
      Principal: principal.includes(".amazonaws.com") ? { Service: principal } : { AWS: principal },
      Action: requiredText(input, "Action"),
      Resource: functionArn,
      ...(account === undefined && arn === undefined
        ? {}
        : {
            Condition: {
              ...(account === undefined ? {} : { StringEquals: { "AWS:SourceAccount": account } }),
              ...(arn === undefined ? {} : { ArnLike: { "AWS:SourceArn": arn } }),
            },
          }),
    };
    const text = JSON.stringify(statement);
    this.db.run("INSERT INTO lambda_statements VALUES (?, ?, ?)", [name, sid, text]);
    return text;
  }

  of(name: string): Statement[] {
    return this.db
      .query<{ statement: string }, [string]>(
        "SELECT statement FROM lambda_statements WHERE name = ? ORDER BY sid",
      )
      .all(name)
      .map(({ statement }) => JSON.parse(statement) as Statement);
  }

  /** Throws ResourceNotFoundException where there is no such statement. */
  remove(name: string, sid: string): void {
    const { changes } = this.db.run("DELETE FROM lambda_statements WHERE name = ? AND sid = ?", [name, sid]);
    if (changes === 0)
      throw new AwsError(
        "ResourceNotFoundException",
        `Statement ${sid} is not found in resource policy.`,
        404,
      );
  }

  removeAll(name: string): void {
    this.db.run("DELETE FROM lambda_statements WHERE name = ?", [name]);
  }

  /** Whether a service of this account may call the function. */
  allows(name: string, principal: string, sourceArn: string, account: string): boolean {
    return this.of(name).some(
      ({ Principal, Action, Condition }) =>
        "Service" in Principal &&
        Principal.Service === principal &&
        Action === "lambda:InvokeFunction" &&
        (Condition?.StringEquals?.["AWS:SourceAccount"] ?? account) === account &&
        (Condition?.ArnLike?.["AWS:SourceArn"] ?? sourceArn) === sourceArn,
    );
  }
}
