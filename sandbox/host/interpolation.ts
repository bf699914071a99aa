export interface ParameterDefinition {
  readonly type: "String" | "StringList";
  readonly allowedPattern?: string;
  readonly interpolationType?: "ENV_VAR" | "TEXT";
}

export type ParameterValue = string | readonly string[];
export type Parameters = Readonly<Record<string, ParameterValue>>;
export type Definitions = Readonly<Record<string, ParameterDefinition>>;

/**
 * What an agent does with ENV_VAR: `reference` gives the value in the environment as SSM_<name> and writes `$SSM_<name>`
 * where the document says `{{ name }}` (agent 3.3.2746.0 and later); `text` pastes the value, as every older agent does.
 */
export type AgentGeneration = "reference" | "text";

/** The agent checks allowedPattern once more (Go regexp, anywhere in the value); gives the message it fails with. */
export function patternViolation(parameters: Parameters, definitions: Definitions): string | undefined {
  for (const [name, value] of Object.entries(parameters)) {
    const pattern = definitions[name]?.allowedPattern;
    if (!pattern) continue;
    const expression = new RegExp(pattern, "u");
    const bad = [value].flat().find((item) => !expression.test(item));
    if (bad !== undefined) return `parameter value /${bad}/ does not match the allowed pattern /${pattern}/`;
  }
  return undefined;
}

/** The environment that ENV_VAR parameters become. */
export function parameterEnvironment(
  parameters: Parameters,
  definitions: Definitions,
  generation: AgentGeneration,
): Record<string, string> {
  if (generation === "text") return {};
  const entries = Object.entries(parameters).filter(
    ([name]) => definitions[name]?.interpolationType === "ENV_VAR",
  );
  return Object.fromEntries(entries.map(([name, value]) => [`SSM_${name}`, asText(value)]));
}

/** Replaces every `{{ name }}` at once: a value that looks like a parameter is not replaced again. `$$` becomes `$`. */
export function interpolate(
  text: string,
  parameters: Parameters,
  definitions: Definitions,
  generation: AgentGeneration,
): string {
  return text.replace(/\{\{\s*([a-zA-Z0-9]+)\s*\}\}/g, (whole, name: string) => {
    const value = parameters[name];
    if (value === undefined) return whole;
    const byReference = generation === "reference" && definitions[name]?.interpolationType === "ENV_VAR";
    return byReference ? `$SSM_${name}` : asText(value).replaceAll("$$", () => "$");
  });
}

/** A line that is nothing but one StringList parameter becomes its items, as the agent replaces it by the value itself. */
export function interpolateLines(
  lines: readonly string[],
  parameters: Parameters,
  definitions: Definitions,
  generation: AgentGeneration,
): string[] {
  return lines.flatMap((line) => {
    const alone = /^\{\{\s*([a-zA-Z0-9]+)\s*\}\}$/.exec(line);
    const value = alone ? parameters[alone[1]!] : undefined;
    return Array.isArray(value) ? [...value] : [interpolate(line, parameters, definitions, generation)];
  });
}

function asText(value: ParameterValue): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}
