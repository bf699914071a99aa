import { randomUUID } from "node:crypto";
import { type Input, optionalText } from "../input.ts";
import { AwsError } from "../service.ts";
import type { Secret, SecretStore, SecretVersion } from "./store.ts";

const secretBytesMax = 65_536;

function values(input: Input): { text: string | null; binary: string | null } {
  const text = optionalText(input, "SecretString") ?? null;
  const binary = optionalText(input, "SecretBinary") ?? null;
  if (text !== null && binary !== null)
    throw new AwsError("InvalidParameterException", "You can't specify both a binary and a text value.");
  if (Buffer.byteLength(text ?? binary ?? "") > secretBytesMax) {
    throw new AwsError("InvalidParameterException", `expected a value of at most ${secretBytesMax} bytes`);
  }
  return { text, binary };
}

/** Moves a staging label to a version; AWSCURRENT leaves AWSPREVIOUS on the version that had it. */
export function moveStage(store: SecretStore, arn: string, stage: string, to: string | undefined): void {
  const versions = store.versions(arn);
  const holder = versions.find((version) => version.stages.includes(stage));
  if (holder?.id === to) return;
  for (const version of versions) {
    let stages = version.stages.filter((each) => each !== stage);
    if (stage === "AWSCURRENT") {
      stages = stages.filter((each) => each !== "AWSPREVIOUS");
      if (version.id === holder?.id) stages = [...stages, "AWSPREVIOUS"];
    }
    if (version.id === to) stages = [...stages, stage];
    if (stages.join() !== version.stages.join()) store.saveVersion(arn, { ...version, stages });
  }
}

/**
 * Stores a new version from SecretString or SecretBinary, or none where neither is given. The same ClientRequestToken
 * with the same value is the same request; with another value it is an error.
 */
export function addVersion(
  store: SecretStore,
  secret: Secret,
  input: Input,
  stages: readonly string[],
  now: number,
): SecretVersion | undefined {
  const { text, binary } = values(input);
  if (text === null && binary === null) return undefined;
  const id = optionalText(input, "ClientRequestToken") ?? randomUUID();
  const same = store.versions(secret.arn).find((version) => version.id === id);
  if (same !== undefined && (same.text !== text || same.binary !== binary)) {
    throw new AwsError(
      "ResourceExistsException",
      `A resource with the ID ${id} already exists with another value.`,
    );
  }
  if (same === undefined) store.saveVersion(secret.arn, { id, text, binary, stages: [], created: now });
  for (const stage of stages) moveStage(store, secret.arn, stage, id);
  return store.versions(secret.arn).find((version) => version.id === id);
}

/** The version a read asks for: by id, by stage, or AWSCURRENT. Throws ResourceNotFoundException. */
export function chooseVersion(store: SecretStore, secret: Secret, input: Input): SecretVersion {
  const id = optionalText(input, "VersionId");
  const stage = optionalText(input, "VersionStage") ?? (id === undefined ? "AWSCURRENT" : undefined);
  const version = store
    .versions(secret.arn)
    .find(
      (each) => (id === undefined || each.id === id) && (stage === undefined || each.stages.includes(stage)),
    );
  if (version !== undefined) return version;
  const wanted = id === undefined ? `staging label: ${stage}` : `VersionId: ${id}`;
  throw new AwsError(
    "ResourceNotFoundException",
    `Secrets Manager can't find the specified secret value for ${wanted}`,
  );
}
