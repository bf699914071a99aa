import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Identities } from "./identity.ts";
import { create as createS3 } from "./s3/service.ts";
import type { Service } from "./service.ts";
import { create as createSts } from "./sts/service.ts";

const folders = ["parameters", "secrets", "lambda", "ssm", "ec2", "dms"] as const;

/** Every service of the stand-in. A folder whose `service.ts` isn't there is left out. */
export async function loadServices(identities: Identities): Promise<Service[]> {
  const services: Service[] = [...createS3(), ...createSts(identities)];
  for (const folder of folders) {
    const file = join(import.meta.dirname, folder, "service.ts");
    if (!existsSync(file)) continue;
    const loaded = (await import(file)) as { create(): Service[] };
    services.push(...loaded.create());
  }
  return services;
}
