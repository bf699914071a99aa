import { join, resolve } from "node:path";
import { S3ObjectStore } from "../adapters/aws/object-store.ts";
import { exitCodes } from "../core/errors.ts";
import { buildRelease } from "./release/build.ts";
import { publishRelease } from "./release/publish.ts";
import { uploadRelease } from "./release/upload.ts";
import { type Command, runCommand, usageError } from "./roundtrip/command.ts";

const actions = ["build", "upload", "publish"];

const releaseCommand: Command = {
  name: "release",
  summary: "Builds what hosts and people on call install, and puts it into the bucket of releases.",
  usage: "bun scripts/release.ts build|upload|publish [--folder DIR] [--tag TAG] [--ca FILE] [--bucket NAME]",
  options: {
    folder: { type: "string", default: join(import.meta.dirname, "../dist/release") },
    tag: { type: "string" },
    ca: { type: "string" },
    bucket: { type: "string" },
  },
  optionHelp: [
    ["build", "programs for x64 and arm64, the function's archive, bill of materials, checksums"],
    ["upload", "into the bucket, below the version; never replaces anything, safe to run again"],
    ["publish", "as a release on GitHub, by gh and GH_TOKEN, with its tag at the commit that was built"],
    ["--folder DIR", "where it is built, and uploaded from; dist/release"],
    ["--tag TAG", "refuse unless it is v and the version of package.json"],
    ["--ca FILE", "CA certificates for the function's archive (build-create-user-db.ts)"],
    ["--bucket NAME", "for upload: the bucket that hosts install from"],
  ],
  examples: [
    "bun scripts/release.ts build --tag v0.1.0",
    "bun scripts/release.ts upload --bucket acme-releases",
  ],
  run: async (values, [action = "", ...rest]) => {
    if (!actions.includes(action) || rest.length > 0)
      throw usageError(
        "choose an action",
        [action, ...rest].join(" ") || "none",
        `one of: ${actions.join(", ")}`,
      );
    const folder = resolve(String(values.folder));
    const text = (name: string) => (typeof values[name] === "string" ? { [name]: values[name] } : {});
    if (action === "build") {
      const release = await buildRelease(folder, { ...text("tag"), ...text("ca") });
      for (const { name, bytes, sha256 } of release.files)
        process.stdout.write(`${sha256}  ${name}  ${bytes} bytes\n`);
      return exitCodes.ok;
    }
    if (action === "publish") {
      if (typeof values.tag !== "string") throw usageError("publish a release", "no --tag", "add --tag TAG");
      await publishRelease(folder, values.tag);
      process.stdout.write(`${values.tag} is published\n`);
      return exitCodes.ok;
    }
    if (typeof values.bucket !== "string" || values.bucket === "")
      throw usageError("upload a release", "no --bucket", "add --bucket NAME");
    const store = new S3ObjectStore({ bucket: values.bucket });
    const { release } = await uploadRelease(store, folder, (line) => void process.stdout.write(`${line}\n`));
    process.stdout.write(`release ${release} is in ${values.bucket}\n`);
    return exitCodes.ok;
  },
};

process.exit(await runCommand(releaseCommand, process.argv.slice(2)));
