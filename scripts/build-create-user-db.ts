/**
 * Builds dist/create-user-db.zip, the archive of the lambda: `bun scripts/build-create-user-db.ts [--ca <file>] [--outfile <path>]`.
 * The same sources give the same bytes, wherever and whenever they are built: Terraform sees a new hash only for new code.
 */
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { parseArgs } from "node:util";
import { type Zippable, zipSync } from "fflate";
import { exitCodes } from "../core/errors.ts";
import { sha256Of } from "../core/sha256.ts";

const root = join(import.meta.dirname, "..");
/** Zip keeps local time without a zone: made of local parts, it is the same bytes everywhere. */
const fixedTime = new Date(1980, 0, 1);
const unix = 3;
const readableFile = 0o100644 << 16;

const { values } = parseArgs({
  options: {
    ca: { type: "string" },
    outfile: { type: "string", default: join(root, "dist/create-user-db.zip") },
    help: { type: "boolean" },
  },
});
if (values.help) {
  process.stdout.write(`Builds the archive of the lambda create-user-db, reproducible byte by byte.

Usage: bun scripts/build-create-user-db.ts [--ca FILE] [--outfile PATH]

Options
  --ca FILE       CA certificates of Amazon RDS and DocumentDB (global-bundle.pem); also ROUNDTRIP_CA_BUNDLE.
                  Without it the function can't speak TLS, and says so when it should.
  --outfile PATH  where to; dist/create-user-db.zip
`);
  process.exit(exitCodes.ok);
}
process.exit(await build(resolve(values.outfile), values.ca ?? process.env.ROUNDTRIP_CA_BUNDLE));

async function build(outfile: string, certificates: string | undefined): Promise<number> {
  const files: Zippable = {};
  if (certificates) {
    if (!existsSync(certificates)) {
      process.stderr.write(
        `build of create-user-db: expected the CA file at ${certificates}, got no such file. Way out: download https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem and name it with --ca\n`,
      );
      return exitCodes.configuration;
    }
    const text = readFileSync(certificates);
    if (!text.includes("-----BEGIN CERTIFICATE-----")) {
      process.stderr.write(
        `build of create-user-db: expected PEM certificates in ${certificates}, got none. Way out: name the file global-bundle.pem of Amazon RDS\n`,
      );
      return exitCodes.configuration;
    }
    files["global-bundle.pem"] = text;
  }
  files["index.mjs"] = new TextEncoder().encode(await bundle());
  const archive = zipSync(files, { level: 9, mtime: fixedTime, os: unix, attrs: readableFile });
  mkdirSync(dirname(outfile), { recursive: true });
  writeFileSync(`${outfile}.${process.pid}`, archive);
  renameSync(`${outfile}.${process.pid}`, outfile);
  const sha256 = sha256Of(archive);
  const tls = certificates
    ? "with the CA file"
    : "without global-bundle.pem, for clusters with TLS off (--ca adds it)";
  process.stdout.write(
    `${relative(process.cwd(), outfile)}: ${archive.length} bytes, sha256 ${sha256}, ${tls}\n`,
  );
  return exitCodes.ok;
}

/** One ES module for Node, with all it needs; nothing of it names the folder it was built in. */
async function bundle(): Promise<string> {
  const built = await Bun.build({
    entrypoints: [join(root, "services/create-user-db/main.ts")],
    root,
    target: "node",
    format: "esm",
    minify: { whitespace: true, syntax: true, identifiers: false },
    sourcemap: "none",
  });
  const text = await built.outputs[0]!.text();
  if (text.includes(root)) {
    throw new Error(
      `the bundle names ${root}, so its bytes depend on the folder: a package in it uses __dirname`,
    );
  }
  return text;
}
