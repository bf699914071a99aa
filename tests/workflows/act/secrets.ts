/** The secrets of a world, everything that people, logs and buckets get to see of it, and the search for the one in the other. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import {
  GetSecretValueCommand,
  ListSecretsCommand,
  SecretsManagerClient,
} from "@aws-sdk/client-secrets-manager";
import { steerAws } from "../../../sandbox/up/aws.ts";
import type { WorkflowWorld } from "./world.ts";

/** Value to what it is. */
export type Secrets = ReadonlyMap<string, string>;

export interface Place {
  readonly name: string;
  readonly text: string;
}

/** Passwords of all users, keys of every AWS session so far, GitHub's token. */
export async function secretsOf(world: WorkflowWorld): Promise<Secrets> {
  const secrets = new Map([[world.github.token, "GitHub's token"]]);
  const manager = new SecretsManagerClient({});
  const { SecretList = [] } = await manager.send(new ListSecretsCommand({}));
  for (const { Name = "" } of SecretList) {
    const { SecretString = "{}" } = await manager.send(new GetSecretValueCommand({ SecretId: Name }));
    const { password } = JSON.parse(SecretString) as { password?: string };
    if (password) secrets.set(password, `password of ${Name}`);
  }
  const { all } = await steerAws<{
    all: { secretAccessKey: string; sessionToken: string | null; arn: string }[];
  }>(world.apply.aws, "credentials");
  for (const { secretAccessKey, sessionToken, arn } of all) {
    secrets.set(secretAccessKey, `secret key of ${arn}`);
    if (sessionToken) secrets.set(sessionToken, `session token of ${arn}`);
  }
  return secrets;
}

/** Logs, summaries, comments, issues, objects with their keys, requests to AWS, files of the hosts, command lines. */
export async function placesOf(world: WorkflowWorld): Promise<Place[]> {
  const places: Place[] = world.runs.map(({ workflow, raw }) => ({
    name: `act's log of ${workflow}`,
    text: withoutSignIn(raw),
  }));
  for (const { title, number, body } of await world.github.issues()) {
    places.push({ name: `#${number}`, text: `${title}\n${body}` });
    for (const text of await world.github.comments(number))
      places.push({ name: `a comment of #${number}`, text });
  }
  for await (const { key } of world.apply.store.list("")) {
    const found = await world.apply.store.get(key);
    places.push({ name: "a key of the bucket", text: key });
    places.push({ name: `object ${key}`, text: Buffer.from(found?.body ?? "").toString("latin1") });
  }
  places.push({ name: "requests to AWS", text: JSON.stringify(await steerAws(world.apply.aws, "journal")) });
  for (const folder of world.hostFolders) places.push(...filesBelow(folder));
  // What a run was started with, except for the file by which it gets its secrets.
  places.push(
    ...filesBelow(join(world.folder, "runs")).filter(({ name }) => !/\/(secrets|envs\.txt)$/.test(name)),
  );
  places.push(...world.watch.lines().map((text) => ({ name: "a command line", text })));
  return places;
}

/** What was found where; nothing but names, so that a failed test doesn't print what it looks for. */
export function leaks(secrets: Secrets, places: readonly Place[]): string[] {
  const found = places.flatMap(({ name, text }) =>
    [...secrets].flatMap(([value, what]) =>
      formsOf(value).some((form) => text.includes(form)) ? [`${what} in ${name}`] : [],
    ),
  );
  return [...new Set(found)];
}

/** As it is, in base64, in a URL. */
function formsOf(value: string): string[] {
  return [value, Buffer.from(value).toString("base64").replace(/=+$/, ""), encodeURIComponent(value)];
}

/**
 * act tells each variable that goes to later steps, and each mask: that is how the keys of the sign-in travel. GitHub
 * tells neither. Everything else in its log counts.
 */
function withoutSignIn(raw: string): string {
  const isSignIn = /"command":"(add-mask|set-env)"/;
  const isKept = (line: string) =>
    !isSignIn.test(line) || (/"command":"set-env"/.test(line) && !/"name":"AWS_/.test(line));
  return raw.split("\n").filter(isKept).join("\n");
}

/** The hosts' own copies of the credentials are where they belong: /etc/roundtrip, for root alone. */
function filesBelow(folder: string): Place[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter(
      (file) =>
        file.isFile() &&
        !file.parentPath.includes("etc/roundtrip") &&
        !file.name.startsWith("roundtrip-worker"),
    )
    .map((file) => {
      const path = join(file.parentPath, file.name);
      return { name: `file ${path}`, text: readFileSync(path, "latin1") };
    });
}
