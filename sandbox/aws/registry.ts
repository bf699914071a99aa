import { create as createCloudWatch } from "./cloudwatch/service.ts";
import { create as createDms } from "./dms/service.ts";
import { create as createEc2 } from "./ec2/service.ts";
import { Events } from "./events.ts";
import type { Identities } from "./identity.ts";
import { create as createLambda } from "./lambda/service.ts";
import { create as createObjects } from "./objects/service.ts";
import { create as createParameters } from "./parameters/service.ts";
import { create as createS3 } from "./s3/service.ts";
import { create as createSecrets } from "./secrets/service.ts";
import type { Service } from "./service.ts";
import { create as createSns } from "./sns/service.ts";
import { create as createSsm } from "./ssm/service.ts";
import { create as createSts } from "./sts/service.ts";

/** Every service of the stand-in. Parameter Store and Run Command are both `AmazonSSM`; their operations are one API. */
export function createServices(identities: Identities): Service[] {
  const events = new Events();
  return [
    ...createS3(events),
    ...createSts(identities),
    ...createParameters(),
    ...createSecrets(),
    ...createLambda(identities, events),
    ...createSns(events),
    ...createCloudWatch(),
    ...createSsm(),
    ...createEc2(),
    ...createDms(),
    ...createObjects(),
  ];
}
