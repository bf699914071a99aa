/** `configureFailPoint`: the fail points drivers' tests use. Error labels follow the server's rules. */
import { ServerError } from "../engine/errors.ts";
import { type Document, isDocument, isNumber, type Value } from "../engine/value.ts";
import { exactNumberOf } from "../storage/numbers.ts";

interface FailPoint {
  data: Document;
  /** How many times it still fires; Infinity for alwaysOn. */
  times: number;
  /** Matches to let pass before. */
  skip: number;
  entered: number;
}

/** What an armed `onPrimaryTransactionalWrite` wants done to a statement of a retryable write. */
export interface WriteFailure {
  closeConnection: boolean;
  /** The statement fails with this and isn't done; otherwise it is done. */
  error: ServerError | undefined;
}

/** What an armed `failCommand` wants done to a command. */
export interface Failure {
  closeConnection: boolean;
  blockMs: number;
  error: { code: number; labels: string[] | undefined } | undefined;
  writeConcernError: Document | undefined;
  labels: string[] | undefined;
}

const KNOWN = new Set([
  "failCommand",
  "failGetMoreAfterCursorCheckout",
  "maxTimeAlwaysTimeOut",
  "maxTimeNeverTimeOut",
  "onPrimaryTransactionalWrite",
]);

function names(value: Value | undefined): string[] {
  return Array.isArray(value) ? (value as string[]) : [];
}

function labelsOf(data: Document): string[] | undefined {
  return data.has("errorLabels") ? names(data.get("errorLabels")) : undefined;
}

export class FailPoints {
  private readonly points = new Map<string, FailPoint>();

  /** @throws ServerError FailPointSetFailed (for unknown names), BadValue */
  configure(name: string, mode: Value | undefined, data: Document): number {
    if (!KNOWN.has(name)) throw new ServerError("NoSuchKey", `${name} not found`);
    const old = this.points.get(name);
    if (mode === "off") this.points.delete(name);
    else this.points.set(name, { data, entered: old?.entered ?? 0, ...this.modeOf(mode) });
    return old?.entered ?? 0;
  }

  private modeOf(mode: Value | undefined): { times: number; skip: number } {
    if (mode === "alwaysOn") return { times: Number.POSITIVE_INFINITY, skip: 0 };
    if (isDocument(mode)) {
      const [kind, value] = [...mode][0] ?? ["", null];
      if (isNumber(value) && kind === "times") return { times: exactNumberOf(value), skip: 0 };
      if (isNumber(value) && kind === "skip")
        return { times: Number.POSITIVE_INFINITY, skip: exactNumberOf(value) };
    }
    throw new ServerError("BadValue", "unknown mode: expected 'off', 'alwaysOn', {times: n} or {skip: n}");
  }

  isOn(name: string): boolean {
    return this.points.has(name);
  }

  private take(name: string): Document | undefined {
    const point = this.points.get(name);
    if (!point) return undefined;
    if (point.skip > 0) {
      point.skip--;
      return undefined;
    }
    point.entered++;
    if (--point.times <= 0) this.points.delete(name);
    return point.data;
  }

  /** The failure to inject into `command`, if any. */
  failCommand(command: string, appName: string | undefined, ns: string): Failure | undefined {
    const point = this.points.get("failCommand");
    if (!point || command === "configureFailPoint") return undefined;
    const { data } = point;
    if (!names(data.get("failCommands")).includes(command)) return undefined;
    if (data.has("appName") && data.get("appName") !== appName) return undefined;
    if (data.has("namespace") && data.get("namespace") !== ns) return undefined;
    this.take("failCommand");
    const code = data.get("errorCode");
    const blockMs = data.get("blockTimeMS");
    const writeConcernError = data.get("writeConcernError");
    return {
      closeConnection: data.get("closeConnection") === true,
      blockMs: data.get("blockConnection") === true && isNumber(blockMs) ? exactNumberOf(blockMs) : 0,
      error: isNumber(code) ? { code: exactNumberOf(code), labels: labelsOf(data) } : undefined,
      writeConcernError: isDocument(writeConcernError) ? writeConcernError : undefined,
      labels: labelsOf(data),
    };
  }

  /** The failure to inject into a statement of a retryable write, if any. */
  writeFailure(): WriteFailure | undefined {
    const data = this.take("onPrimaryTransactionalWrite");
    if (!data) return undefined;
    const code = data.get("failBeforeCommitExceptionCode");
    return {
      closeConnection: data.get("closeConnection") !== false,
      error: isNumber(code)
        ? new ServerError(
            exactNumberOf(code),
            "Failing write due to failpoint. The write must not be reflected.",
          )
        : undefined,
    };
  }

  getMoreFailure(): ServerError | undefined {
    const data = this.take("failGetMoreAfterCursorCheckout");
    const code = data?.get("errorCode");
    if (!isNumber(code)) return undefined;
    return new ServerError(
      exactNumberOf(code),
      "Failing getMore due to 'failGetMoreAfterCursorCheckout' failpoint",
    );
  }
}
