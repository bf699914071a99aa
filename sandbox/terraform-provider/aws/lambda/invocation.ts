/** aws_lambda_invocation: a function run as Terraform creates, updates and deletes. */
import { createHash } from "node:crypto";
import type { Context, Resource } from "../../resource.ts";
import { text, type Values } from "../../values.ts";
import { invoke } from "./api.ts";

type Action = "create" | "update" | "delete";

/** The event: the input, and under scope CRUD what Terraform does and the input before. */
function eventOf(action: Action, before: Values | null, after: Values): string {
  const input = String(after.input);
  if (after.lifecycle_scope !== "CRUD") return input;
  const previous = before === null ? null : (JSON.parse(String(before.input)) as unknown);
  const key = text(after.terraform_key) ?? "tf";
  return JSON.stringify({ ...(JSON.parse(input) as object), [key]: { action, prev_input: previous } });
}

async function run(action: Action, before: Values | null, after: Values, context: Context): Promise<Values> {
  const name = String(after.function_name);
  const event = eventOf(action, before, after);
  const result = await invoke(context, after, name, event);
  const hash = createHash("md5").update(event).digest("hex");
  return { id: `${name},${String(after.qualifier)},${hash}`, result };
}

export const invocation: Resource = {
  rules: {
    source: "github.com/hashicorp/terraform-provider-aws internal/service/lambda/invocation.go",
    forceNew: ["function_name", "qualifier", "triggers"],
    forceNewWhen: [{ name: "input", when: ({ lifecycle_scope: scope }) => scope === "CREATE_ONLY" }],
    defaults: { lifecycle_scope: "CREATE_ONLY", qualifier: "$LATEST", terraform_key: "tf" },
    oneOf: { lifecycle_scope: ["CREATE_ONLY", "CRUD"] },
    json: ["input"],
    recomputed: { result: ["input"] },
    check: ({ lifecycle_scope: scope, input }) =>
      scope === "CRUD" && typeof input === "string" && !/^\s*\{[\s\S]*\}\s*$/.test(input)
        ? [
            {
              path: "input",
              says: 'lifecycle_scope other than "CREATE_ONLY" requires input to be a JSON object',
            },
          ]
        : [],
  },
  create: ({ planned }, context) => run("create", null, planned, context),
  update: ({ prior, planned }, context) => run("update", prior, planned, context),
  async delete(state, context) {
    if (state.lifecycle_scope === "CRUD") await run("delete", state, state, context);
  },
};
