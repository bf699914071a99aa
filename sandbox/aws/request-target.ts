import { AwsError } from "./service.ts";

/** Percent-encodes all but A–Z a–z 0–9 - _ . ~ (RFC 3986), which is SigV4's UriEncode. */
export function uriEncode(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

/** Percent-decodes; throws InvalidURI. */
export function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new AwsError("InvalidURI", `couldn't decode the percent-encoding of "${text}"`, 400);
  }
}

/** Path and query as they stand on the request line (req.url is absolute). */
export function requestTarget(url: string): { path: string; query: string } {
  const start = url.indexOf("/", url.indexOf("//") + 2);
  const target = start < 0 ? "/" : url.slice(start);
  const mark = target.indexOf("?");
  return mark < 0
    ? { path: target, query: "" }
    : { path: target.slice(0, mark), query: target.slice(mark + 1) };
}

/** Query parameters, percent-decoded; unlike URLSearchParams a `+` stays a plus. */
export function queryPairs(query: string): [string, string][] {
  if (query === "") return [];
  return query.split("&").map((pair) => {
    const mark = pair.indexOf("=");
    return mark < 0 ? [decode(pair), ""] : [decode(pair.slice(0, mark)), decode(pair.slice(mark + 1))];
  });
}
