import type { ContractSubject } from "./endpoint.ts";
import { Bench } from "./s3/bench.ts";
import { buckets } from "./s3/buckets.ts";
import { conditions } from "./s3/conditions.ts";
import { contents } from "./s3/contents.ts";
import { listing } from "./s3/listing.ts";
import { multipart } from "./s3/multipart.ts";
import { multipartMore } from "./s3/multipart-more.ts";
import { objects } from "./s3/objects.ts";
import { properties } from "./s3/properties.ts";
import { versions } from "./s3/versions.ts";
import { contractSuite } from "./suite.ts";

/** S3 as the product, Terraform's provider and the stock tools use it. */
export function s3Contract(subject: ContractSubject): void {
  contractSuite("S3 contract", subject, (scenario) => {
    const bench = new Bench();
    for (const group of [
      objects,
      conditions,
      contents,
      properties,
      listing,
      multipart,
      multipartMore,
      versions,
      buckets,
    ]) {
      group(scenario, bench);
    }
  });
}
