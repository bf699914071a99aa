/** What mongodump is told in its configuration file, because an argument would show the password to every process. */
import { RoundtripError } from "../../core/errors.ts";

/** mongodump reads this one as seconds: 10,000 would wait for hours. */
const misread = "serverSelectionTimeoutMS";

/** The connection string of a secret, as connect.ts reads it. Fails `configuration` naming the secret. */
export function connectionString(secret: Readonly<Record<string, string>>, secretName: string): string {
  if (secret.uri) return withoutDatabase(withoutOption(secret.uri, misread));
  const { host, port, username, password, replicaSet, authSource, tls, caFile } = secret;
  if (!host || !username || !password) throw incomplete(secretName);
  const hosts = host
    .split(",")
    .map((name) => (/:\d+$/.test(name) || !port ? name : `${name}:${port}`))
    .join(",");
  const options = new URLSearchParams({ authSource: authSource || "admin" });
  if (replicaSet) options.set("replicaSet", replicaSet);
  if (tls === "true" || caFile) options.set("tls", "true");
  if (caFile) options.set("tlsCAFile", caFile);
  return `mongodb://${encodeURIComponent(username)}:${encodeURIComponent(password)}@${hosts}/?${options}`;
}

/** The file's text: YAML, in which a JSON text is a text. */
export function configurationText(uri: string): string {
  return `uri: ${JSON.stringify(uri)}\n`;
}

function withoutOption(uri: string, option: string): string {
  const [address = "", query] = uri.split("?", 2);
  if (query === undefined) return uri;
  const kept = query.split("&").filter((part) => part.split("=")[0]?.toLowerCase() !== option.toLowerCase());
  return kept.length === 0 ? address : `${address}?${kept.join("&")}`;
}

/** A database in the address would be the only one that is dumped. It still is where the user is looked up. */
function withoutDatabase(uri: string): string {
  const [, address = "", database = "", query = ""] =
    /^(\w+(?:\+\w+)?:\/\/[^/?]+)\/([^?]+)(?:\?(.*))?$/.exec(uri) ?? [];
  if (database === "") return uri;
  const options = query.split("&").filter(Boolean);
  const isGiven = options.some((option) => option.toLowerCase().startsWith("authsource="));
  return `${address}/?${[...options, ...(isGiven ? [] : [`authSource=${database}`])].join("&")}`;
}

function incomplete(secretName: string): RoundtripError {
  return new RoundtripError({
    kind: "configuration",
    what: `read the address to dump from secret ${secretName}`,
    expected: "uri, or host, username and password",
    got: "not all of them",
    wayOut: `write secret ${secretName} with the fields docs/users-and-secrets.md names`,
  });
}
