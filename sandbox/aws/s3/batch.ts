import { AwsError, type RequestContext } from "../service.ts";
import { childrenOf, childText } from "../xml.ts";
import { xmlBody, xmlResponse } from "./documents.ts";
import { findObject } from "./read.ts";
import type { Store } from "./store.ts";
import type { Target } from "./target.ts";

const deletesMax = 1000;

interface Deletion {
  readonly key: string;
  readonly version: string | undefined;
}

async function deletions(request: Request): Promise<{ objects: Deletion[]; quiet: boolean }> {
  const root = await xmlBody(request);
  const objects = childrenOf(root, "Object").map((each) => ({
    key: childText(each, "Key") ?? "",
    version: childText(each, "VersionId"),
  }));
  if (objects.length === 0 || objects.length > deletesMax || objects.some(({ key }) => key === "")) {
    throw new AwsError(
      "MalformedXML",
      `expected 1 to ${deletesMax} objects with keys, got ${objects.length}`,
      400,
    );
  }
  return { objects, quiet: childText(root, "Quiet") === "true" };
}

/** DeleteObjects: up to 1000 at once, each answered on its own. */
export async function deleteObjects(
  request: Request,
  target: Target,
  store: Store,
  context: RequestContext,
): Promise<Response> {
  const bucket = store.bucket(target.bucket);
  const { objects, quiet } = await deletions(request);
  const now = context.now().getTime();
  // One transaction for the batch: a thousand commits would take a thousand times as long.
  const deleted = store.atomically(() =>
    objects.map(({ key, version }) => {
      const result = store.delete(bucket, key, version, now);
      return {
        Key: key,
        VersionId: version,
        DeleteMarker: result.marker ? true : undefined,
        DeleteMarkerVersionId: result.marker ? result.version : undefined,
      };
    }),
  );
  return xmlResponse({ DeleteResult: { Deleted: quiet ? [] : deleted } });
}

/** The answer of an armed `okWithError`: status 200 with the error inside, for each key of a DeleteObjects. */
export async function failedWithOk(request: Request, operation: string, code: string): Promise<Response> {
  const error = { Code: code, Message: "armed fault: an error inside a 200 answer" };
  if (operation !== "DeleteObjects") return xmlResponse({ Error: { ...error, RequestId: "sandbox" } });
  const { objects } = await deletions(request);
  return xmlResponse({ DeleteResult: { Error: objects.map(({ key }) => ({ Key: key, ...error })) } });
}

/** Get, put and delete of an object's tags. */
export async function objectTagging(
  request: Request,
  { bucket, key, query }: Target,
  store: Store,
): Promise<Response> {
  store.bucket(bucket);
  const object = findObject(store, bucket, key, query.get("versionId"));
  if (request.method === "GET") {
    const tags = [...new URLSearchParams(object.tags)].map(([Key, Value]) => ({ Key, Value }));
    return xmlResponse({ Tagging: { TagSet: { Tag: tags } } });
  }
  if (request.method === "DELETE") {
    store.setTags(object.seq, "");
    return new Response(null, { status: 204 });
  }
  const set = (await xmlBody(request)).children.find((each) => each.name === "TagSet");
  const tags = new URLSearchParams();
  for (const tag of set?.children ?? [])
    tags.append(childText(tag, "Key") ?? "", childText(tag, "Value") ?? "");
  for (const text of [...tags].flat()) {
    if (!/^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u.test(text))
      throw new AwsError("InvalidTag", "The TagValue you have provided is invalid", 400);
  }
  if (tags.size > 10) throw new AwsError("BadRequest", "Object tags cannot be greater than 10", 400);
  store.setTags(object.seq, tags.toString());
  return new Response(null);
}
