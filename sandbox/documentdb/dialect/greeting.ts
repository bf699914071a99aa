/** What the server says it is: hello, buildInfo, serverStatus, getEngineVersion. */
import { Buffer } from "node:buffer";
import { serialize } from "bson";
import type { Decision } from "../session.ts";
import type { Request } from "../wire/messages.ts";
import { editDocument, findField, readNumber } from "../wire/raw.ts";
import { answer, type DialectSession, isAtLeast, type Shared } from "./shared.ts";

/** Whole elements of a plain object, for appending to a raw document. */
export function elementsOf(object: Record<string, unknown>): Buffer {
  const bytes = Buffer.from(serialize(object));
  return bytes.subarray(4, bytes.length - 1);
}

function wireVersionOf(engineVersion: string): number {
  if (isAtLeast(engineVersion, "8.0.0")) return 25;
  return isAtLeast(engineVersion, "5.0.0") ? 13 : isAtLeast(engineVersion, "4.0.0") ? 7 : 6;
}

const membership = new Set([
  "hosts",
  "passives",
  "arbiters",
  "arbiterOnly",
  "hidden",
  "passive",
  "tags",
  "primary",
  "me",
  "setName",
  "setVersion",
  "electionId",
  "topologyVersion",
  "lastWrite",
  "compression",
  "maxWireVersion",
  "minWireVersion",
  "isreplicaset",
  "isWritablePrimary",
  "ismaster",
  "secondary",
]);

/** hello and its older names: the proxy's own addresses, in a set called rs0. Never `topologyVersion`: clients poll. */
export function greet(request: Request, session: DialectSession): Decision {
  const { shared, endpoint } = session;
  const modern = request.command === "hello";
  return {
    forward: true,
    reply: (document) => {
      const writable = findField(document, "isWritablePrimary") ?? findField(document, "ismaster");
      const isPrimary = !endpoint.isReader && readNumber(document, writable) === 1;
      return editDocument(document, membership, [
        elementsOf({
          [modern ? "isWritablePrimary" : "ismaster"]: isPrimary,
          secondary: !isPrimary,
          setName: "rs0",
          setVersion: 1,
          hosts: [shared.address, ...shared.readers],
          me: endpoint.address,
          ...(isPrimary || endpoint.isReader ? { primary: shared.address } : {}),
          maxWireVersion: wireVersionOf(shared.engineVersion),
          minWireVersion: 0,
        }),
      ]);
    },
  };
}

const build = new Set([
  "version",
  "versionArray",
  "gitVersion",
  "modules",
  "openssl",
  "storageEngines",
  "javascriptEngine",
  "buildEnvironment",
  "allocator",
]);

function versionFields(shared: Shared): Record<string, unknown> {
  return { version: shared.engineVersion, versionArray: [...shared.engineVersion.split(".").map(Number), 0] };
}

export function buildInfo(_request: Request, session: DialectSession): Decision {
  return {
    forward: true,
    reply: (document) => editDocument(document, build, [elementsOf(versionFields(session.shared))]),
  };
}

export function serverStatus(_request: Request, session: DialectSession): Decision {
  return {
    forward: true,
    reply: (document) =>
      findField(document, "version")
        ? editDocument(document, new Set(["version"]), [
            elementsOf({ version: session.shared.engineVersion }),
          ])
        : document,
  };
}

export function engineVersion(_request: Request, session: DialectSession): Decision {
  return answer(session.shared, { engineVersion: session.shared.engineVersion });
}
