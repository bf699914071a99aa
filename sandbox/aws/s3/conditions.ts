import { AwsError } from "../service.ts";
import type { ObjectVersion, WriteConditions } from "./schema.ts";

function lists(header: string, etag: string): boolean {
  return header.split(",").some((each) => {
    const value = each.trim().replace(/^W\//, "").replaceAll('"', "");
    return value === "*" || value === etag;
  });
}

/** Checks If-Match, If-Unmodified-Since, If-None-Match, If-Modified-Since in RFC 9110's order. Throws 412 or 304. */
export function checkRead(headers: Headers, object: ObjectVersion, prefix = "if-"): void {
  const match = headers.get(`${prefix}match`);
  const noneMatch = headers.get(`${prefix}none-match`);
  const unmodified = headers.get(`${prefix}unmodified-since`);
  const modified = headers.get(`${prefix}modified-since`);
  const second = Math.floor(object.modified / 1000) * 1000;
  const failed = (condition: string, status: number) =>
    new AwsError(
      status === 304 ? "NotModified" : "PreconditionFailed",
      "At least one of the pre-conditions you specified did not hold",
      status,
      {
        Condition: condition,
      },
    );
  if (match !== null) {
    if (!lists(match, object.etag)) throw failed("If-Match", 412);
  } else if (unmodified !== null && second > Date.parse(unmodified)) throw failed("If-Unmodified-Since", 412);
  const notModified = prefix === "if-" ? 304 : 412;
  if (noneMatch !== null) {
    if (lists(noneMatch, object.etag)) throw failed("If-None-Match", notModified);
  } else if (modified !== null && second <= Date.parse(modified))
    throw failed("If-Modified-Since", notModified);
}

/** The conditions of a write. S3 knows only `If-None-Match: *`. */
export function writeConditions(headers: Headers): WriteConditions {
  const ifNoneMatch = headers.get("if-none-match") ?? undefined;
  const ifMatch = headers.get("if-match") ?? undefined;
  if (ifNoneMatch !== undefined && ifNoneMatch !== "*") {
    throw new AwsError(
      "NotImplemented",
      "A header you provided implies functionality that is not implemented",
      501,
      { Header: "If-None-Match" },
    );
  }
  return { ifNoneMatch, ifMatch };
}

/** A Range header against an object's size: [from, to) in bytes, or undefined for the whole. Throws InvalidRange 416. */
export function byteRange(header: string | null, size: number): { from: number; to: number } | undefined {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header ?? "");
  if (match === null || (match[1] === "" && match[2] === "")) return undefined;
  const suffix = match[1] === "";
  const from = suffix ? Math.max(0, size - Number(match[2])) : Number(match[1]);
  const to = suffix || match[2] === "" ? size : Math.min(size, Number(match[2]) + 1);
  if (!suffix && match[2] !== "" && Number(match[2]) < from) return undefined;
  if (from >= size || (suffix && Number(match[2]) === 0)) {
    throw new AwsError("InvalidRange", "The requested range is not satisfiable", 416, {
      RangeRequested: header,
      ActualObjectSize: size,
    });
  }
  return { from, to };
}
