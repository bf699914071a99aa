/** Certificates for endpoints that verify their server. */
import { alreadyExists, notFound } from "../faults.ts";
import { filtered, type Input, identifier, page, randomArn, text } from "../input.ts";
import type { Certificate } from "../model.ts";
import type { Dms } from "../service.ts";
import { saveTags } from "./tags.ts";

function describeCertificate(certificate: Certificate): object {
  return {
    CertificateIdentifier: certificate.id,
    CertificateArn: certificate.arn,
    CertificateCreationDate: new Date(certificate.createdAt),
    CertificatePem: certificate.pem,
  };
}

function importCertificate(dms: Dms, input: Input): object {
  const id = identifier(input, "CertificateIdentifier");
  if (dms.store.all("certificate").some((each) => each.id === id))
    throw alreadyExists(`Certificate ${id} already exists.`);
  const certificate: Certificate = {
    arn: randomArn(dms.context, "cert"),
    id,
    pem: text(input, "CertificatePem"),
    createdAt: dms.context.now().getTime(),
  };
  dms.store.put("certificate", certificate.arn, certificate);
  saveTags(dms, certificate.arn, input);
  return { Certificate: describeCertificate(certificate) };
}

function deleteCertificate(dms: Dms, input: Input): object {
  const certificate = dms.store.get("certificate", text(input, "CertificateArn"));
  if (!certificate) throw notFound(`Certificate ${String(input.CertificateArn)} not found.`);
  dms.store.delete("certificate", certificate.arn);
  return { Certificate: describeCertificate(certificate) };
}

function describeCertificates(dms: Dms, input: Input): object {
  const found = filtered(input, dms.store.all("certificate"), {
    "certificate-arn": (each) => each.arn,
    "certificate-id": (each) => each.id,
  });
  const { items, Marker } = page(input, found);
  return { Certificates: items.map(describeCertificate), Marker };
}

export const certificateOperations = {
  ImportCertificate: importCertificate,
  DeleteCertificate: deleteCertificate,
  DescribeCertificates: describeCertificates,
};
