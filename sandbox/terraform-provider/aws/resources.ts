import type { Resource } from "../resource.ts";
import { certificate } from "./dms/certificate.ts";
import { endpoint } from "./dms/endpoint.ts";
import { instance } from "./dms/instance.ts";
import { subnetGroup } from "./dms/subnet-group.ts";
import { task } from "./dms/task.ts";
import { instance as ec2Instance } from "./ec2/instance.ts";
import { eventInvokeConfig } from "./lambda/event-invoke-config.ts";
import { lambdaFunction } from "./lambda/function.ts";
import { invocation } from "./lambda/invocation.ts";
import { permission } from "./lambda/permission.ts";
import { bucket } from "./s3/bucket.ts";
import { notification } from "./s3/notification.ts";
import { bucketSettingTypes } from "./s3/settings.ts";
import { secret } from "./secrets/secret.ts";
import { secretVersion } from "./secrets/version.ts";
import { document } from "./ssm/document.ts";
import { parameter } from "./ssm/parameter.ts";
import { documentdbTypes } from "./stored/documentdb.ts";
import { identityTypes } from "./stored/identity.ts";
import { monitoringTypes } from "./stored/monitoring.ts";
import { networkTypes } from "./stored/network.ts";
import { volumeTypes } from "./stored/volumes.ts";

/** Types that can be applied. The others of the schema validate and plan. */
export const resources: Readonly<Record<string, Resource>> = {
  aws_dms_certificate: certificate,
  aws_dms_endpoint: endpoint,
  aws_dms_replication_instance: instance,
  aws_dms_replication_subnet_group: subnetGroup,
  aws_dms_replication_task: task,
  aws_instance: ec2Instance,
  aws_lambda_function: lambdaFunction,
  aws_lambda_function_event_invoke_config: eventInvokeConfig,
  aws_lambda_invocation: invocation,
  aws_lambda_permission: permission,
  aws_s3_bucket: bucket,
  aws_s3_bucket_notification: notification,
  aws_secretsmanager_secret: secret,
  aws_secretsmanager_secret_version: secretVersion,
  aws_ssm_document: document,
  aws_ssm_parameter: parameter,
  ...bucketSettingTypes,
  ...documentdbTypes,
  ...identityTypes,
  ...monitoringTypes,
  ...networkTypes,
  ...volumeTypes,
};
