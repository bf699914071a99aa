/** aws_dms_certificate: the authority an endpoint's server is checked against. */
import type { Context, Resource } from "../../resource.ts";
import type { Values } from "../../values.ts";
import { tagList } from "../tags.ts";
import { type Described, dms, dmsTags, find, identifierPatterns, isNotFound, updateDmsTags } from "./api.ts";

function findCertificate(context: Context, values: Values): Promise<Described | undefined> {
  const lookup = { operation: "DescribeCertificates", list: "Certificates", filter: "certificate-id" };
  return find(context, values, lookup, String(values.id));
}

export const certificate: Resource = {
  rules: {
    source: "github.com/hashicorp/terraform-provider-aws internal/service/dms/certificate.go",
    forceNew: ["certificate_id", "certificate_pem", "certificate_wallet"],
    pattern: { certificate_id: identifierPatterns(255) },
  },
  async create({ planned }, context) {
    await dms(context, planned, "ImportCertificate", {
      CertificateIdentifier: planned.certificate_id,
      CertificatePem: planned.certificate_pem ?? undefined,
      Tags: tagList(planned),
    });
    return { id: String(planned.certificate_id).toLowerCase() };
  },
  async read(state, context) {
    const found = await findCertificate(context, state);
    if (!found) return undefined;
    const arn = String(found.CertificateArn);
    return {
      id: String(found.CertificateIdentifier),
      certificate_id: String(found.CertificateIdentifier),
      certificate_arn: arn,
      certificate_pem: String(found.CertificatePem),
      ...(await dmsTags(context, state, arn)),
    };
  },
  async update({ prior, planned }, context) {
    await updateDmsTags(context, prior, planned, String(prior.certificate_arn));
    return undefined;
  },
  async delete(state, context) {
    try {
      await dms(context, state, "DeleteCertificate", { CertificateArn: state.certificate_arn });
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  },
};
