import { expect, test } from "bun:test";
import fc from "fast-check";
import { readAddress } from "./address.ts";
import { hclString } from "./hcl.ts";

test("an address is read with its module, and without its keys", () => {
  expect(readAddress('module.a["x.y"].module.b[0].aws_dms_endpoint.t["q\\"[1]"]')).toEqual({
    text: 'module.a["x.y"].module.b[0].aws_dms_endpoint.t["q\\"[1]"]',
    resource: "module.a.module.b.aws_dms_endpoint.t",
    module: "module.a.module.b",
  });
});

test("any key of for_each, written as Terraform does, is read", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (key) => {
      const text = `aws_dms_endpoint.t[${hclString(key)}]`;
      expect(readAddress(text)).toMatchObject({ text, resource: "aws_dms_endpoint.t" });
    }),
  );
});

test.each([
  ["two blocks", 'aws_s3_bucket.b\n}\nresource "x" "y" {'],
  ["a template in a key", 'aws_s3_bucket.b["${file("/etc/passwd")}"]'],
  ["a key that isn't closed", 'aws_s3_bucket.b["x'],
  ["a point at the end", "aws_s3_bucket.b."],
  ["a type alone", "aws_s3_bucket"],
  ["a module alone", "module.a"],
  ["nothing", ""],
])("%s is no address", (_, text) => {
  expect(() => readAddress(text)).toThrow("read an address of the old state");
});

test("text of any kind is read as an address or refused, at once", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 200 }), (text) => {
      try {
        expect(readAddress(text).text).toBe(text);
      } catch (error) {
        expect(String(error)).toContain("read an address");
      }
    }),
  );
});
