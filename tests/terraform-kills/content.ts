/** What the AWS stand-in keeps, in words that are the same for two accounts in which the same was made. */
import { Database } from "bun:sqlite";
import { join } from "node:path";

/** Not what anybody made: requests, keys, sqlite's own, and the older values of a secret, of which a killed run may leave one. */
const tables = {
  skipped: new Set(["journal", "access_keys", "sqlite_sequence"]),
  rows: new Map([
    ["secret_versions", `stages LIKE '%"AWSCURRENT"%'`],
    ["s3_objects", "latest = 1"],
    // A terminated machine is shown for an hour, as AWS does.
    ["ec2_instances", "json_extract(data, '$.state') <> 'terminated'"],
  ]),
} as const;

const random: readonly (readonly [RegExp, string])[] = [
  [/\b(sg|sgr|vpce|i|vol|eni|ami-launch|r)-[0-9a-f]{17}\b/g, "$1-…"],
  [/\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b/g, "uuid"],
  [/\b\d{4}-\d{2}-\d{2}T[\d:.]+Z?/g, "time"],
  [/\b1[78]\d{8}(\d{3})?(\.\d+)?\b/g, "time"],
  // DMS's identifiers, and IAM's.
  [/\b[A-Z2-7]{26}\b/g, "ID"],
  [/\b(AROA|AIPA)[0-9A-F]{17}\b/g, "$1…"],
  [/\b(cluster|db)-[0-9A-F]{26}\b/g, "$1-…"],
  // Where a function's code lies, which is the folder of the account it was made in.
  [/\broot=\S*(?=\/lambda\/)/g, "root="],
  [/(:secret:[\w/+=.@-]+)-[A-Za-z0-9]{6}\b/g, "$1-…"],
];

/** Every row, one text each, in an order of its own. */
function rowsOf(dir: string): { table: string; row: Record<string, unknown> }[] {
  using aws = new Database(join(dir, "aws.sqlite"), { readonly: true });
  const names = aws.query<{ name: string }, []>("SELECT name FROM sqlite_master WHERE type = 'table'").all();
  return names
    .filter(({ name }) => !tables.skipped.has(name))
    .flatMap(({ name }) =>
      aws
        .query<Record<string, unknown>, []>(
          `SELECT * FROM ${name} WHERE ${tables.rows.get(name as never) ?? "1"}`,
        )
        .all()
        .map((row) => ({ table: name, row })),
    );
}

/** A number that differs when anything that is kept differs, but for locks of states. */
export function fingerprint(dir: string): string {
  const hash = new Bun.CryptoHasher("sha256");
  for (const { table, row } of rowsOf(dir)) {
    if (table === "s3_objects" && String(row.key).endsWith(".tflock")) continue;
    hash.update(`${table} ${JSON.stringify(row)}\n`);
  }
  return hash.digest("hex");
}

/**
 * What there is, a line an object, identifiers and times left out, and in which secrets' values are only told apart: so that
 * an endpoint with another password than its secret's is seen. The state's own text is left out.
 */
export function contentOf(dir: string, { bucket, checkout }: { bucket: string; checkout: string }): string[] {
  const rows = rowsOf(dir);
  const passwords = rows
    .filter(({ table }) => table === "secret_versions")
    .flatMap(({ row }) => {
      const { password } = JSON.parse(String(row.text)) as { password: string };
      return password === "held-in-secret-3391" ? [] : [password];
    });
  return rows
    .map(({ table, row }) => {
      if (table === "s3_objects" && row.bucket === bucket) return `${table} ${bucket} ${String(row.key)}`;
      let text = `${table} ${Object.entries(row)
        .map(([name, value]) => `${name}=${String(value)}`)
        .join(" ")}`;
      for (const password of passwords)
        for (const written of [password, JSON.stringify(password).slice(1, -1), goJson(password)])
          text = text.replaceAll(written, "PASSWORD");
      text = text.replaceAll(dir, "").replaceAll(checkout, "");
      for (const [pattern, by] of random) text = text.replace(pattern, by);
      return text;
    })
    .sort();
}

/** As Terraform's jsonencode writes it. */
function goJson(text: string): string {
  return JSON.stringify(text)
    .slice(1, -1)
    .replace(/[<>&]/g, (sign) => `\\u00${sign.charCodeAt(0).toString(16)}`);
}
