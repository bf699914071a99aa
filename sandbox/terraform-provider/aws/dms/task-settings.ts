/** How the provider compares task settings (internal/service/dms/task_settings_json.go of the provider). */

type Json = null | boolean | number | string | Json[] | { [name: string]: Json };

function parsed(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
}

function isRecord(value: Json | undefined): value is { [name: string]: Json } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Log components by their id, because the API gives them in an order of its own. */
function normalised(settings: Json): Json {
  if (!isRecord(settings) || !isRecord(settings.Logging)) return settings;
  const { CloudWatchLogGroup: _group, CloudWatchLogStream: _stream, ...logging } = settings.Logging;
  const components = Array.isArray(logging.LogComponents)
    ? Object.fromEntries(
        logging.LogComponents.map((each) =>
          isRecord(each) ? [String(each.Id), each.Severity ?? null] : ["", null],
        ),
      )
    : undefined;
  return { ...settings, Logging: { ...logging, ...(components ? { LogComponents: components } : {}) } };
}

function covers(state: Json | undefined, proposed: Json | undefined): boolean {
  if (proposed === null || proposed === undefined) return true;
  if (!isRecord(state) || !isRecord(proposed)) return JSON.stringify(state) === JSON.stringify(proposed);
  return (
    Object.entries(state).every(([name, value]) => covers(value, proposed[name])) &&
    Object.keys(proposed).every((name) => Object.hasOwn(state, name))
  );
}

/** Whether the configuration asks for nothing else than the task has. Keys it leaves out are DMS's own. */
export function sameTaskSettings(state: string, proposed: string): boolean {
  const before = parsed(state);
  const after = parsed(proposed);
  if (before === undefined || after === undefined) return state === proposed;
  return covers(normalised(before), normalised(after));
}

/** Settings as the provider keeps them: without what DMS adds for itself. */
export function withoutReadOnly(settings: string): string {
  const value = parsed(settings);
  if (!isRecord(value)) return settings;
  if (isRecord(value.ControlTablesSettings)) delete value.ControlTablesSettings.historyTimeslotInMinutes;
  if (isRecord(value.Logging))
    for (const name of ["EnableLogContext", "CloudWatchLogGroup", "CloudWatchLogStream"])
      delete value.Logging[name];
  return JSON.stringify(value);
}

/** What the provider refuses in settings; undefined when there is nothing. */
export function settingsRefusal(settings: string): string | undefined {
  const value = parsed(settings);
  if (!isRecord(value) || !isRecord(value.Logging)) return undefined;
  const { Logging: logging } = value;
  if (logging.EnableLogContext !== undefined && logging.EnableLogging !== true)
    return "The parameter Logging.EnableLogContext is not allowed when Logging.EnableLogging is not set to true.";
  for (const name of ["CloudWatchLogGroup", "CloudWatchLogStream"])
    if (logging[name] !== undefined) return `The parameter Logging.${name} is read-only and cannot be set.`;
  return undefined;
}
