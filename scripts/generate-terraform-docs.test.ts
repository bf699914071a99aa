import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { terraformPages } from "./generate-terraform-docs.ts";
import { declarationsOf } from "./terraform-docs/declarations.ts";
import { withTables } from "./terraform-docs/tables.ts";

test("each page of terraform/ has the inputs and outputs its files declare (bun scripts/generate-terraform-docs.ts)", () => {
  const pages = terraformPages();
  expect(pages.size).toBeGreaterThan(10);
  for (const [path, text] of pages)
    expect({ path, text: readFileSync(path, "utf8") }).toEqual({ path, text });
});

const file = `variable "port" {
  description = "Port of \\"it\\": 1|2, <name>."
  type        = number
}

variable "hosts" {
  description = <<-EOT
    Hosts by name,
    each with its size.
  EOT
  type = map(object({
    # How large.
    size = optional(number, 50)
    zones = list(string)
  }))
  default = {
    first = { size = 1 }
  }
}

output "password" {
  description = "Password."
  value       = var.password
  sensitive   = true
}
`;

test("a variable's description, type and default stand on the page as they are written", () => {
  const page = withTables("# a module\n", declarationsOf([file]));
  expect(page).toContain('| `port` | `number` | required | Port of "it": 1\\|2, &lt;name>. |');
  expect(page).toContain(
    "| `hosts` | map of objects, below | `{ first = { size = 1 } }` | Hosts by name, each with its size. |",
  );
  expect(page).toContain("```hcl\nmap(object({\n  # How large.\n  size = optional(number, 50)\n");
  expect(page).toContain("| `password` | Password. Sensitive. |");
});

test("written again, a page stays as it is; what stands around the tables stays, too", () => {
  const page = `${withTables("# a module\n", declarationsOf([file]))}\nA last word.\n`;
  expect(withTables(page, declarationsOf([file]))).toBe(page);
  const other = withTables(page, declarationsOf([file.replace("number\n", "string\n")]));
  expect(other).toContain("`port` | `string`");
  expect(other).toEndWith("\nA last word.\n");
  expect(() => withTables(page.replace("<!-- inputs", "<!-- in"), declarationsOf([file]))).toThrow("before");
});
