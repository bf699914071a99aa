/** hashicorp/local, archive and cloudinit: files and texts. */
import { createHash } from "node:crypto";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import { zipSync } from "fflate";
import type { DataSource, Resource } from "../resource.ts";
import { elements, isObject, text, type Values } from "../values.ts";
import { hashes } from "./text.ts";

function contentOf(values: Values): Buffer {
  const base64 = text(values.content_base64);
  if (base64 !== undefined) return Buffer.from(base64, "base64");
  const source = text(values.source);
  if (source !== undefined) return readFileSync(source);
  return Buffer.from(text(values.content) ?? text(values.sensitive_content) ?? "");
}

const fileArguments = ["filename", "content", "content_base64", "sensitive_content", "source"];

function localFile(permission: string): Resource {
  return {
    rules: {
      source: "github.com/hashicorp/terraform-provider-local internal/provider",
      forceNew: [...fileArguments, "file_permission", "directory_permission"],
      defaults: {
        file_permission: permission,
        directory_permission: permission === "0700" ? "0700" : "0777",
      },
      conflicts: [["content", "sensitive_content", "content_base64", "source"]],
    },
    async create({ planned }) {
      const path = String(planned.filename);
      const content = contentOf(planned);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, content);
      chmodSync(path, Number.parseInt(String(planned.file_permission), 8));
      return { id: createHash("sha1").update(content).digest("hex"), ...hashes(content, "content_", "sha1") };
    },
    // A file that is gone or was changed is made again.
    async read(state) {
      const path = String(state.filename);
      if (!existsSync(path)) return undefined;
      const now = createHash("sha1").update(readFileSync(path)).digest("hex");
      return now === state.id ? {} : undefined;
    },
    async delete(state) {
      rmSync(String(state.filename), { force: true });
    },
  };
}

const localFileData: DataSource = {
  async read(config) {
    const content = readFileSync(String(config.filename));
    return {
      id: createHash("sha1").update(content).digest("hex"),
      content: content.toString(),
      content_base64: content.toString("base64"),
      ...hashes(content, "content_", "sha1"),
    };
  },
};

/** A fixed time of change, so that the same content gives the same archive. */
const archiveTime = new Date("2049-01-01T00:00:00Z");

function entriesOf(config: Values): Map<string, Uint8Array> {
  const entries = new Map<string, Uint8Array>();
  const file = text(config.source_file);
  if (file !== undefined) entries.set(basename(file), readFileSync(file));
  if (text(config.source_content) !== undefined)
    entries.set(String(config.source_content_filename), Buffer.from(String(config.source_content)));
  for (const block of elements(config.source).filter(isObject))
    entries.set(String(block.filename), Buffer.from(String(block.content)));
  const folder = text(config.source_dir);
  if (folder === undefined) return entries;
  const excluded = elements(config.excludes).map(String);
  for (const name of readdirSync(folder, { recursive: true, encoding: "utf8" })) {
    if (excluded.some((each) => name === each || name.startsWith(`${each}/`))) continue;
    if (statSync(join(folder, name)).isFile()) entries.set(name, readFileSync(join(folder, name)));
  }
  return entries;
}

async function archive(config: Values): Promise<Values> {
  if (config.type !== "zip") throw new Error(`the stand-in archives zip only, got ${String(config.type)}`);
  const entries = [...entriesOf(config)].sort(([left], [right]) => (left < right ? -1 : 1));
  const zip = zipSync(Object.fromEntries(entries), { mtime: archiveTime });
  const path = String(config.output_path);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, zip);
  const found = hashes(zip, "output_", "sha");
  return { id: found.output_sha ?? null, output_size: zip.length, ...found };
}

/** A MIME archive, as cloud-init takes several parts. */
async function cloudinit(config: Values): Promise<Values> {
  const boundary = text(config.boundary) ?? "MIMEBOUNDARY";
  const parts = elements(config.part)
    .filter(isObject)
    .map((part) => {
      const lines = [
        `Content-Disposition: attachment; filename="${text(part.filename) ?? "part"}"`,
        "Content-Transfer-Encoding: 7bit",
        `Content-Type: ${text(part.content_type) ?? "text/plain"}`,
        "Mime-Version: 1.0",
        ...(text(part.merge_type) ? [`X-Merge-Type: ${text(part.merge_type)}`] : []),
      ];
      return `--${boundary}\r\n${lines.join("\r\n")}\r\n\r\n${text(part.content) ?? ""}\r\n`;
    });
  const head = `Content-Type: multipart/mixed; boundary="${boundary}"\nMIME-Version: 1.0\r\n\r\n`;
  const plain = Buffer.from(`${head}${parts.join("")}--${boundary}--\r\n`);
  const zipped = config.gzip === false ? plain : gzipSync(plain);
  if (config.gzip !== false && config.base64_encode === false)
    throw new Error("base64_encode is mandatory when gzip is enabled");
  const rendered = config.base64_encode === false ? zipped.toString() : zipped.toString("base64");
  return {
    id: String(Bun.hash.crc32(rendered)),
    rendered,
    boundary,
    gzip: config.gzip ?? true,
    base64_encode: config.base64_encode ?? true,
  };
}

export const fileResources: Readonly<Record<string, Resource>> = {
  local_file: localFile("0777"),
  local_sensitive_file: localFile("0700"),
  archive_file: { create: ({ planned }) => archive(planned) },
  cloudinit_config: { create: ({ planned }) => cloudinit(planned) },
};

export const fileDataSources: Readonly<Record<string, DataSource>> = {
  local_file: localFileData,
  local_sensitive_file: localFileData,
  archive_file: { read: archive },
  cloudinit_config: { read: cloudinit },
};
