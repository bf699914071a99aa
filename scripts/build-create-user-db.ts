/**
 * Builds dist/create-user-db.zip, the archive of the lambda: `bun scripts/build-create-user-db.ts [--ca <file>] [--outfile <path>]`.
 * The same sources give the same bytes, wherever and whenever they are built: Terraform sees a new hash only for new code.
 */
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import type { Zippable } from "fflate";
import { exitCodes } from "../core/errors.ts";
import { writeArchive } from "./lambda/archive.ts";

const root = join(import.meta.dirname, "..");

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
  const tls = certificates
    ? "with the CA file"
    : "without global-bundle.pem, for clusters with TLS off (--ca adds it)";
  const written = await writeArchive("services/create-user-db/main.ts", outfile, files);
  process.stdout.write(`${written}, ${tls}\n`);
  return exitCodes.ok;
}
