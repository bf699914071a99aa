import { requestTarget } from "../request-target.ts";

interface Target {
  readonly operation: string;
  readonly name: string;
  /** Id of the statement that is taken out of the function's policy. */
  readonly statement?: string;
}

const operations: Readonly<Record<string, string>> = {
  "POST ": "CreateFunction",
  "GET ": "ListFunctions",
  "GET function": "GetFunction",
  "DELETE function": "DeleteFunction",
  "GET configuration": "GetFunctionConfiguration",
  "PUT configuration": "UpdateFunctionConfiguration",
  "PUT code": "UpdateFunctionCode",
  "POST invocations": "Invoke",
  "GET policy": "GetPolicy",
  "POST policy": "AddPermission",
  "DELETE policy": "RemovePermission",
  "PUT event-invoke-config": "PutFunctionEventInvokeConfig",
  "GET event-invoke-config": "GetFunctionEventInvokeConfig",
  "DELETE event-invoke-config": "DeleteFunctionEventInvokeConfig",
};

export function targetOf(request: Request): Target {
  const { path } = requestTarget(request.url);
  const match = /^\/20\d\d-\d\d-\d\d\/functions(?:\/([^/]*)(?:\/([^/]+)(?:\/([^/]+))?)?)?\/?$/.exec(path);
  if (match === null) return { operation: `${request.method} ${path}`, name: "" };
  const given = decodeURIComponent(match[1] ?? "");
  const name = /(?:^|:)function:([^:]+)/.exec(given)?.[1] ?? given;
  const about = name === "" ? "" : (match[2] ?? "function");
  return {
    operation: operations[`${request.method} ${about}`] ?? `${request.method} ${about}`,
    name,
    ...(match[3] === undefined ? {} : { statement: decodeURIComponent(match[3]) }),
  };
}
