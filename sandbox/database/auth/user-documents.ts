/** Documents of `admin.system.users`. */
import { fromObject } from "../engine/codec.ts";
import { Binary, type Document, type Value } from "../engine/value.ts";
import type { RoleName } from "./roles.ts";
import { type Mechanism, makeCredential } from "./scram.ts";

export function credentialsOf(user: string, password: string, mechanisms: readonly Mechanism[]): Document {
  return fromObject(
    Object.fromEntries(mechanisms.map((mechanism) => [mechanism, makeCredential(mechanism, user, password)])),
  );
}

/** A new user as it is stored. The password is kept as SCRAM credentials only. */
export function newUser(
  db: string,
  user: string,
  password: string | undefined,
  roles: RoleName[],
  mechanisms: readonly Mechanism[],
): Document {
  const document: Document = new Map<string, Value>([
    ["_id", `${db}.${user}`],
    ["userId", new Binary(Buffer.from(crypto.randomUUID().replaceAll("-", ""), "hex"), 4)],
    ["user", user],
    ["db", db],
  ]);
  const credentials: Document =
    password === undefined
      ? new Map<string, Value>([["external", true]])
      : credentialsOf(user, password, mechanisms);
  document.set("credentials", credentials);
  document.set(
    "roles",
    roles.map(({ role, db: database }) => fromObject({ role, db: database })),
  );
  return document;
}
