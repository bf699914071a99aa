import { expect, test } from "bun:test";
import fc from "fast-check";
import {
  alternateName,
  isSameSecret,
  newPassword,
  usernameOf,
  versionIdOf,
  withLogin,
} from "./secret-fields.ts";

test("a new password is one DocumentDB takes, and never the same", () => {
  const made = Array.from({ length: 200 }, newPassword);
  for (const password of made) {
    expect(password.length).toBeGreaterThanOrEqual(8);
    expect(password.length).toBeLessThanOrEqual(100);
    expect(password).toMatch(/^[\x21-\x7e]+$/);
    expect(password).not.toMatch(/[/"@]/);
  }
  expect(new Set(made).size).toBe(made.length);
});

test("another login changes username, password and the login inside uri, and nothing else", () => {
  const fields = { username: "dms", password: "old", host: "cluster", port: "27017", engine: "mongo" };
  expect(withLogin(fields, { username: "dms_b", password: "new" })).toEqual({
    ...fields,
    username: "dms_b",
    password: "new",
  });
  const uri = "mongodb://dms:o%40d@one:27017,two:27017/admin?tls=true&replicaSet=rs0";
  const changed = withLogin({ uri }, { username: "dms_b", password: "n/w" });
  expect(changed.uri).toBe("mongodb://dms_b:n%2Fw@one:27017,two:27017/admin?tls=true&replicaSet=rs0");
  expect(withLogin({ uri: "mongodb://one/" }, { username: "a", password: "b" }).uri).toBe(
    "mongodb://a:b@one/",
  );
  expect(withLogin({ uri: "mongodb+srv://x:y@one/" }, { username: "a", password: "b" }).uri).toBe(
    "mongodb+srv://a:b@one/",
  );
});

test("whatever user and password are put into a connection string, a URL reader finds them again", () => {
  const text = fc.string({ minLength: 1, maxLength: 40 });
  fc.assert(
    fc.property(text, text, (username, password) => {
      const { uri = "" } = withLogin({ uri: "mongodb://old:one@host:1/?a=b" }, { username, password });
      const url = new URL(uri.replace("mongodb:", "http:"));
      expect([decodeURIComponent(url.username), decodeURIComponent(url.password), url.host]).toEqual([
        username,
        password,
        "host:1",
      ]);
      expect(usernameOf({ uri })).toBe(username);
    }),
  );
});

test("the user of a secret is its username, or the one in its uri", () => {
  expect(usernameOf({ username: "dms", uri: "mongodb://other:x@h/" })).toBe("dms");
  expect(usernameOf({ uri: "mongodb://d%40ms:x@h/" })).toBe("d@ms");
  expect(usernameOf({ uri: "mongodb://h/" })).toBeUndefined();
  expect(usernameOf({})).toBeUndefined();
});

test("two users take turns", () => {
  expect(alternateName("dms")).toBe("dms_b");
  expect(alternateName(alternateName("dms"))).toBe("dms");
});

test("an operation has one version of a secret, another operation another one", () => {
  const id = versionIdOf("prod-rotate-1", "replication");
  expect(id).toMatch(/^[0-9a-f]{64}$/);
  expect(versionIdOf("prod-rotate-1", "replication")).toBe(id);
  expect(versionIdOf("prod-rotate-2", "replication")).not.toBe(id);
  expect(versionIdOf("prod-rotate-1", "application:shop")).not.toBe(id);
});

test("a secret is the same by name, by ARN and by ARN without its suffix, and no other one is", () => {
  const arn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:prod/dms";
  for (const id of ["prod/dms", arn, `${arn}-AbC123`]) expect(isSameSecret(id, "prod/dms")).toBe(true);
  expect(isSameSecret(`${arn}-AbC123`, arn)).toBe(true);
  expect(isSameSecret("arn:aws:secretsmanager:us-east-1:1:secret:my-secret", "my-secret")).toBe(true);
  expect(isSameSecret("prod/dms", "prod/dms2")).toBe(false);
  expect(isSameSecret(`${arn}2-AbC123`, "prod/dms")).toBe(false);
});
