/** aws_lambda_function_event_invoke_config: how calls nobody waits for are repeated, and where their failures go. */
import type { Context, Resource } from "../../resource.ts";
import { elements, isObject, type Values } from "../../values.ts";
import { type Answer, isNotFound, lambda } from "./api.ts";

const blockIn = (values: Values, name: string): Values | undefined => {
  const [block] = elements(values[name]);
  return isObject(block) ? block : undefined;
};

function destinationOf(planned: Values, name: "on_failure" | "on_success"): object | undefined {
  const destinations = blockIn(planned, "destination_config");
  const block = destinations && blockIn(destinations, name);
  return block && { Destination: block.destination };
}

async function put(planned: Values, context: Context): Promise<Values> {
  const name = String(planned.function_name);
  await lambda(context, planned, "PutFunctionEventInvokeConfig", "PUT", `/${name}/event-invoke-config`, {
    MaximumRetryAttempts: planned.maximum_retry_attempts,
    MaximumEventAgeInSeconds: planned.maximum_event_age_in_seconds ?? undefined,
    DestinationConfig: {
      OnFailure: destinationOf(planned, "on_failure"),
      OnSuccess: destinationOf(planned, "on_success"),
    },
  });
  return { id: name };
}

const blocksOf = (answer: unknown) => {
  const { Destination: destination } = (answer ?? {}) as { Destination?: string };
  return destination === undefined ? [] : [{ destination }];
};

export const eventInvokeConfig: Resource = {
  rules: {
    source:
      "github.com/hashicorp/terraform-provider-aws internal/service/lambda/function_event_invoke_config.go",
    forceNew: ["function_name", "qualifier"],
    defaults: { maximum_retry_attempts: 2 },
    between: { maximum_retry_attempts: [0, 2], maximum_event_age_in_seconds: [60, 21_600] },
  },
  create: ({ planned }, context) => put(planned, context),
  update: ({ planned }, context) => put(planned, context),
  async read(state, context) {
    let answer: Answer;
    try {
      const path = `/${String(state.id)}/event-invoke-config`;
      answer = await lambda(context, state, "GetFunctionEventInvokeConfig", "GET", path);
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
    const { OnFailure, OnSuccess } = (answer.DestinationConfig ?? {}) as Record<string, unknown>;
    const destinations = { on_failure: blocksOf(OnFailure), on_success: blocksOf(OnSuccess) };
    const isEmpty = destinations.on_failure.length + destinations.on_success.length === 0;
    return {
      id: String(state.id),
      function_name: String(state.id),
      maximum_retry_attempts: Number(answer.MaximumRetryAttempts),
      maximum_event_age_in_seconds:
        answer.MaximumEventAgeInSeconds === undefined ? null : Number(answer.MaximumEventAgeInSeconds),
      destination_config: isEmpty ? [] : [destinations],
    };
  },
  async delete(state, context) {
    try {
      const path = `/${String(state.id)}/event-invoke-config`;
      await lambda(context, state, "DeleteFunctionEventInvokeConfig", "DELETE", path);
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  },
};
