import { create as createDms } from "./dms/service.ts";
import { create as createEc2 } from "./ec2/service.ts";
import type { Identities } from "./identity.ts";
import { create as createLambda } from "./lambda/service.ts";
import { create as createObjects } from "./objects/service.ts";
import { create as createParameters } from "./parameters/service.ts";
import { create as createS3 } from "./s3/service.ts";
import { create as createSecrets } from "./secrets/service.ts";
import type { Service } from "./service.ts";
import { create as createSsm } from "./ssm/service.ts";
import { create as createSts } from "./sts/service.ts";

/** Every service of the stand-in. Parameter Store and Run Command are both `AmazonSSM`; their operations are one API. */
export function createServices(identities: Identities): Service[] {
  return [
    ...createS3(),
    ...createSts(identities),
    ...createParameters(),
    ...createSecrets(),
    ...createLambda(identities),
    ...createSsm(),
    ...createEc2(),
    ...createDms(),
    ...createObjects(),
  ];
}
