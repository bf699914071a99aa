/** aws_lambda_permission: one statement of a function's policy. */
import { randomBytes } from "node:crypto";
import type { Resource } from "../../resource.ts";
import { isUnknown, text, type Value, type Values } from "../../values.ts";
import { type Answer, isNotFound, lambda } from "./api.ts";

interface Statement {
  readonly Sid: string;
  readonly Action: string;
  readonly Principal: { readonly Service?: string; readonly AWS?: string };
  readonly Condition?: {
    readonly StringEquals?: Readonly<Record<string, string>>;
    readonly ArnLike?: Readonly<Record<string, string>>;
  };
}

function given(value: Value | undefined): Value | undefined {
  return value === null || isUnknown(value) ? undefined : value;
}

export const permission: Resource = {
  rules: {
    source: "github.com/hashicorp/terraform-provider-aws internal/service/lambda/permission.go",
    forceNew: [
      ...["action", "event_source_token", "function_name", "function_url_auth_type", "principal"],
      ...["principal_org_id", "qualifier", "source_account", "source_arn", "statement_id"],
      "statement_id_prefix",
    ],
    conflicts: [["statement_id", "statement_id_prefix"]],
  },
  async create({ planned }, context) {
    const prefix = text(planned.statement_id_prefix) ?? "terraform-";
    const id = text(planned.statement_id) ?? `${prefix}${randomBytes(13).toString("hex")}`;
    const path = `/${String(planned.function_name)}/policy`;
    await lambda(context, planned, "AddPermission", "POST", path, {
      StatementId: id,
      Action: planned.action,
      Principal: planned.principal,
      SourceArn: given(planned.source_arn),
      SourceAccount: given(planned.source_account),
    });
    return { id, statement_id: id };
  },
  async read(state, context) {
    let answer: Answer;
    try {
      const path = `/${String(state.function_name)}/policy`;
      answer = await lambda(context, state, "GetPolicy", "GET", path);
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
    const { Statement } = JSON.parse(String(answer.Policy)) as { Statement: Statement[] };
    const found = Statement.find(({ Sid }) => Sid === state.id);
    return found === undefined ? undefined : valuesOf(found);
  },
  async delete(state, context) {
    try {
      const path = `/${String(state.function_name)}/policy/${encodeURIComponent(String(state.id))}`;
      await lambda(context, state, "RemovePermission", "DELETE", path);
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  },
};

function valuesOf({ Sid, Action, Principal, Condition }: Statement): Values {
  return {
    id: Sid,
    statement_id: Sid,
    // Read out of the id by the provider: "" for a name of one's own.
    statement_id_prefix: "",
    action: Action,
    principal: Principal.Service ?? Principal.AWS ?? null,
    source_account: Condition?.StringEquals?.["AWS:SourceAccount"] ?? null,
    source_arn: Condition?.ArnLike?.["AWS:SourceArn"] ?? null,
  };
}
