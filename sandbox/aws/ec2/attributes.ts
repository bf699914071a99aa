import { AwsError } from "../service.ts";
import type { Instance, InstanceStore } from "./instance-store.ts";
import { type Input, required } from "./query-input.ts";

const readers: Readonly<Record<string, (instance: Instance) => unknown>> = {
  disableApiStop: ({ stopProtected }) => ({ value: stopProtected }),
  disableApiTermination: ({ terminationProtected }) => ({ value: terminationProtected }),
  instanceType: ({ instanceType }) => ({ value: instanceType }),
  userData: ({ userData }) => ({ value: userData === "" ? undefined : userData }),
  instanceInitiatedShutdownBehavior: () => ({ value: "stop" }),
};

const writers: Readonly<Record<string, (value: string) => Partial<Instance>>> = {
  disableApiStop: (value) => ({ stopProtected: boolean(value) }),
  disableApiTermination: (value) => ({ terminationProtected: boolean(value) }),
  instanceType: (value) => ({ instanceType: value }),
  userData: (value) => ({ userData: value }),
};

function boolean(value: string): boolean {
  if (value !== "true" && value !== "false") {
    throw new AwsError(
      "InvalidParameterValue",
      `Invalid value '${value}' for attribute. Expected: true or false`,
    );
  }
  return value === "true";
}

export function describeInstanceAttribute(store: InstanceStore, input: Input): object {
  const instance = store.get(required(input, "InstanceId"));
  const attribute = required(input, "Attribute");
  const read = readers[attribute];
  if (!read)
    throw new AwsError(
      "InvalidParameterValue",
      `Value (${attribute}) for parameter attribute is invalid. Unknown attribute.`,
    );
  return { instanceId: instance.id, [attribute]: read(instance) };
}

/** Takes both forms: `DisableApiStop.Value=true` and `Attribute=disableApiStop&Value=true`. */
export function modifyInstanceAttribute(store: InstanceStore, input: Input, now: number): object {
  const instance = store.get(required(input, "InstanceId"));
  const given = Object.keys(input).find((name) => /^[A-Z][A-Za-z]+\.Value$/.test(name));
  const attribute =
    input.Attribute ?? (given ? given[0]!.toLowerCase() + given.slice(1, -".Value".length) : "");
  const write = writers[attribute];
  if (!write)
    throw new AwsError("InvalidParameterCombination", "No attributes specified that can be modified here.");
  const needsStopped = attribute === "instanceType" || attribute === "userData";
  if (needsStopped && instance.state !== "stopped") {
    throw new AwsError(
      "IncorrectInstanceState",
      `The instance '${instance.id}' is not in the 'stopped' state.`,
    );
  }
  store.update(instance.id, write(input.Value ?? input[given ?? ""] ?? ""), now);
  return { return: true };
}
