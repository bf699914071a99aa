/** What can be set while it runs. The defaults are the reading of the documentation that hurts most. */
export interface Settings {
  /** Change stream retention, seconds. */
  retentionSeconds: number;
  /** A full document is looked up no earlier than this after its update: later updates and deletes show. */
  lookupDelayMs: number;
  /** Sessions opened before a user lost a role keep acting with it for this long (done by the stand-in upstream). */
  staleAuthorizationMs: number;
  /** An update or delete of several documents commits this long after it began (done by the stand-in upstream). */
  multiWriteCommitDelayMs: number;
  /** Events DocumentDB may or may not report. */
  emitRename: boolean;
  emitDropDatabase: boolean;
  emitInvalidate: boolean;
}

export const defaultSettings: Settings = {
  retentionSeconds: 10_800,
  lookupDelayMs: 100,
  staleAuthorizationMs: 2_000,
  multiWriteCommitDelayMs: 300,
  emitRename: false,
  emitDropDatabase: false,
  emitInvalidate: false,
};

/** Drops one change event before anybody sees it: the verdict of a drill must then say so. */
export interface Suppression {
  readonly namespace: string;
  /** Regular expression on the document's `_id` as text. */
  readonly idPattern: string;
  /** Which matching event is dropped, counted from 1. */
  readonly nth: number;
}

/**
 * `current` with the given settings replaced.
 * @throws RangeError naming the setting that doesn't exist or has the wrong type
 */
export function changeSettings(current: Settings, changes: Readonly<Record<string, unknown>>): Settings {
  const next: Record<string, unknown> = { ...current };
  for (const [name, value] of Object.entries(changes)) {
    const known = (current as unknown as Record<string, unknown>)[name];
    if (known === undefined)
      throw new RangeError(`no such setting: ${name}; there are ${Object.keys(current).join(", ")}`);
    if (typeof value !== typeof known || (typeof value === "number" && !(value >= 0))) {
      throw new RangeError(`setting ${name}: expected a ${typeof known}, got ${String(value)}`);
    }
    next[name] = value;
  }
  return next as unknown as Settings;
}
