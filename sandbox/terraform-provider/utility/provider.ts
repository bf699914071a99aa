/** The small providers. They need nothing but this machine. */
import { randomUUID } from "node:crypto";
import { AwsClient } from "../aws/client.ts";
import { type Provider, type ProviderName, readSchemas } from "../provider.ts";
import type { DataSource, Resource } from "../resource.ts";
import { elements, isObject, text, type Values } from "../values.ts";
import { fileDataSources, fileResources } from "./files.ts";
import { randomEphemeralResources, randomResources } from "./random.ts";

const units: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

async function pause(duration: string | undefined): Promise<void> {
  const [, count, unit] = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(duration ?? "0s") ?? [];
  if (count === undefined) throw new Error(`expected a duration such as 30s or 5m, got ${duration}`);
  await Bun.sleep(Number(count) * units[unit!]!);
}

function timeOf(at: Date): Values {
  return {
    id: at.toISOString().replace(/\.\d+/, ""),
    rfc3339: at.toISOString().replace(/\.\d+/, ""),
    unix: Math.floor(at.getTime() / 1000),
    year: at.getUTCFullYear(),
    month: at.getUTCMonth() + 1,
    day: at.getUTCDate(),
    hour: at.getUTCHours(),
    minute: at.getUTCMinutes(),
    second: at.getUTCSeconds(),
  };
}

const otherResources: Readonly<Record<string, Resource>> = {
  null_resource: {
    rules: { source: "github.com/hashicorp/terraform-provider-null", forceNew: ["triggers"] },
    create: async () => ({ id: String(Math.floor(Math.random() * 2 ** 53)) }),
  },
  time_sleep: {
    rules: { source: "github.com/hashicorp/terraform-provider-time", forceNew: ["triggers"] },
    async create({ planned }) {
      await pause(text(planned.create_duration));
      return { id: new Date().toISOString() };
    },
    delete: (state) => pause(text(state.destroy_duration)),
  },
  time_static: {
    rules: { source: "github.com/hashicorp/terraform-provider-time", forceNew: ["triggers", "rfc3339"] },
    create: async ({ planned }) => timeOf(new Date(text(planned.rfc3339) ?? Date.now())),
  },
};

/** The program gets the query on stdin and answers with an object of strings; there is no shell. */
const external: DataSource = {
  async read(config) {
    const program = elements(config.program).map(String);
    const child = Bun.spawn(program, {
      stdin: Buffer.from(JSON.stringify(isObject(config.query) ? config.query : {})),
      stdout: "pipe",
      stderr: "pipe",
      ...(text(config.working_dir) ? { cwd: text(config.working_dir)! } : {}),
    });
    const [stdout, stderr, exitCode] = await Promise.all([
      new Response(child.stdout).text(),
      new Response(child.stderr).text(),
      child.exited,
    ]);
    if (exitCode !== 0) throw new Error(`${program[0]}: exit code ${exitCode}: ${stderr.trim()}`);
    return { id: "-", result: JSON.parse(stdout) as Values };
  },
};

const nullData: DataSource = {
  read: async (config) => ({
    id: "static",
    outputs: config.inputs ?? {},
    random: randomUUID(),
    has_computed_default: "default",
  }),
};

const resources: Readonly<Record<string, Resource>> = {
  ...randomResources,
  ...fileResources,
  ...otherResources,
};
const dataSources: Readonly<Record<string, DataSource>> = {
  ...fileDataSources,
  external,
  null_data_source: nullData,
};

export function utilityProvider(name: Exclude<ProviderName, "aws">): Provider {
  const nowhere = new AwsClient("http://127.0.0.1:1", () => Promise.reject(new Error(`${name} has no AWS`)));
  return {
    schemas: readSchemas(name),
    resource: (type) => resources[type],
    dataSource: (type) => dataSources[type],
    ...(name === "random" ? { ephemeralResources: randomEphemeralResources } : {}),
    configure: () => ({ aws: nowhere, region: "", defaultTags: {} }),
  };
}
