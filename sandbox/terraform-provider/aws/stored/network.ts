/** Security groups and their rules, VPC endpoints. There is no network in the sandbox: everything is on this machine. */
import type { Context } from "../../resource.ts";
import { text, type Values } from "../../values.ts";
import { type StoredType, stored } from "./resource.ts";

const source = "github.com/hashicorp/terraform-provider-aws internal/service/ec2";

const securityGroup: StoredType = {
  rules: {
    source: `${source}/vpc_security_group.go`,
    forceNew: ["name", "name_prefix", "description", "vpc_id"],
    defaults: { description: "Managed by Terraform", revoke_rules_on_delete: false },
    conflicts: [["name", "name_prefix"]],
    pattern: {
      name: [{ pattern: /^(?!sg-).{1,255}$/, says: "must be 1 to 255 characters and not begin with sg-" }],
      description: [
        {
          pattern: /^[0-9A-Za-z_ .:/()#,@[\]+=&;{}!$*-]{0,255}$/,
          says: "must be 255 characters at most, of letters, digits, spaces and ._-:/()#,@[]+=&;{}!$*",
        },
      ],
    },
  },
  id: (_values, { random }) => `sg-${random()}`,
  computed: (values, id, { region, account, random }) => ({
    arn: `arn:aws:ec2:${region}:${account}:security-group/${id}`,
    name: text(values.name) ?? `${text(values.name_prefix) ?? "terraform-"}${random(26)}`,
    owner_id: account,
    vpc_id: "vpc-00000000000000000",
    egress: [],
    ingress: [],
  }),
  only: ({ name, vpc_id: vpc }) => ({
    by: ["name", "vpc_id"],
    code: "InvalidGroup.Duplicate",
    says: `The security group '${String(name)}' already exists for VPC '${String(vpc)}'`,
  }),
  // A new group lets everything out, by a rule of AWS's own (VPC user guide, security group rules) ...
  along(group, { random }) {
    const id = `sgr-${random()}`;
    const Attributes = { id, security_group_id: group, ip_protocol: "-1", cidr_ipv4: "0.0.0.0/0" };
    return [{ TypeName: "aws_vpc_security_group_egress_rule", ObjectId: id, Attributes }];
  },
  owns: ["egress", "ingress"].map((way) => ({
    type: `aws_vpc_security_group_${way}_rule`,
    by: "security_group_id",
  })),
  // ... which the provider takes away, by a call of its own.
  finish: revokeDefaultEgress,
};

async function revokeDefaultEgress(id: string, { aws, region }: Context): Promise<void> {
  const permission = { "IpPermissions.1.IpProtocol": "-1", "IpPermissions.1.IpRanges.1.CidrIp": "0.0.0.0/0" };
  await aws.query(
    "ec2",
    "2016-11-15",
    { Action: "RevokeSecurityGroupEgress", GroupId: id, ...permission },
    region,
  );
}

const rule: StoredType = {
  rules: {
    source: `${source}/vpc_security_group_ingress_rule.go`,
    forceNew: ["security_group_id"],
    exactlyOne: [["cidr_ipv4", "cidr_ipv6", "prefix_list_id", "referenced_security_group_id"]],
    between: { from_port: [-1, 65_535], to_port: [-1, 65_535] },
  },
  id: (_values, { random }) => `sgr-${random()}`,
  computed: (_values, id, { region, account }) => ({
    arn: `arn:aws:ec2:${region}:${account}:security-group-rule/${id}`,
    security_group_rule_id: id,
  }),
  only: ({ ip_protocol: protocol, from_port: from, to_port: to }) => ({
    by: [
      ...["security_group_id", "ip_protocol", "from_port", "to_port"],
      ...["cidr_ipv4", "cidr_ipv6", "prefix_list_id", "referenced_security_group_id"],
    ],
    code: "InvalidPermission.Duplicate",
    says: `the specified rule "${String(protocol)}, from port: ${String(from ?? "")}, to port: ${String(to ?? "")}, ALLOW" already exists`,
  }),
};

const endpoint: StoredType = {
  rules: {
    source: `${source}/vpc_endpoint.go`,
    forceNew: ["service_name", "vpc_endpoint_type", "vpc_id"],
    defaults: { vpc_endpoint_type: "Gateway" },
    oneOf: {
      vpc_endpoint_type: ["Gateway", "Interface", "GatewayLoadBalancer", "Resource", "ServiceNetwork"],
    },
    json: ["policy"],
  },
  id: (_values, { random }) => `vpce-${random()}`,
  computed: (values, id, { region, account }) => ({
    arn: `arn:aws:ec2:${region}:${account}:vpc-endpoint/${id}`,
    owner_id: account,
    state: "available",
    ip_address_type: "ipv4",
    private_dns_enabled: false,
    requester_managed: false,
    service_region: region,
    prefix_list_id: values.vpc_endpoint_type === "Gateway" ? "pl-63a5400a" : "",
    policy:
      '{"Statement":[{"Action":"*","Effect":"Allow","Principal":"*","Resource":"*"}],"Version":"2008-10-17"}',
  }),
  only: endpointOnce,
};

/** One gateway a route table and service; one interface a VPC and service that has the service's own name in the VPC's DNS. */
function endpointOnce(values: Values): ReturnType<NonNullable<StoredType["only"]>> {
  const [service, vpc] = [String(values.service_name), String(values.vpc_id)];
  if (values.vpc_endpoint_type === "Gateway")
    return {
      by: ["vpc_endpoint_type", "service_name", "vpc_id", "route_table_ids"],
      code: "RouteAlreadyExists",
      says: `route table ${String((values.route_table_ids as unknown[])[0])} already has a route with destination-prefix-list-id pl-63a5400a`,
    };
  if (values.private_dns_enabled !== true) return undefined;
  return {
    by: ["vpc_endpoint_type", "service_name", "vpc_id", "private_dns_enabled"],
    code: "InvalidParameter",
    says: `private-dns-enabled cannot be set because there is already a conflicting DNS domain for ${service} in the VPC ${vpc}`,
  };
}

export const networkTypes = {
  aws_security_group: stored(securityGroup),
  aws_vpc_security_group_egress_rule: stored(rule),
  aws_vpc_security_group_ingress_rule: stored(rule),
  aws_vpc_endpoint: stored(endpoint),
};
