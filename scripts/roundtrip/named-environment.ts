import { readFile } from "node:fs/promises";
import { type EnvironmentName, environmentNames } from "../../core/tasks/model.ts";
import { usageError } from "./command.ts";

/** `--env` as one of the environments a task can differ in. */
export function environmentNameOf(value: unknown): EnvironmentName {
  const name = environmentNames.find((each) => each === value);
  if (name) return name;
  throw usageError(
    "choose the environment",
    String(value ?? "no --env"),
    `--env ${environmentNames.join("|")}`,
  );
}

/** The JSON of a Terraform plan. What it says never gets into a message. */
export async function terraformText(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? "it can't be read";
    throw usageError(`read ${file}`, code, "write it with terraform show -json PLANFILE > FILE");
  }
}
