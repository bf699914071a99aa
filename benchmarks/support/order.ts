import { Decimal128, ObjectId } from "bson";

/** A document of about 1 KB as a shop has them: some thirty fields, nested arrays, most BSON types. */
export function orderOf(number: number) {
  return {
    _id: number,
    number: `A-${1_000_000 + number}`,
    customer: {
      _id: new ObjectId(number.toString(16).padStart(24, "0")),
      name: `Customer ${number % 977}`,
      email: `customer-${number % 977}@example.org`,
      address: { street: "Long Street 12", city: "Cordoba", zip: "X5000", country: "AR" },
    },
    state: ["new", "paid", "sent"][number % 3],
    placedAt: new Date(1_700_000_000_000 + number * 1000),
    total: Decimal128.fromString(`${number % 1000}.99`),
    lines: Array.from({ length: 5 }, (_, line) => ({
      sku: `SKU-${(number * 7 + line) % 10_007}`,
      quantity: 1 + line,
      price: 19.5 + line,
      tax: { rate: 21, amount: 4.1 },
    })),
    history: [
      { at: new Date(1_700_000_000_000), by: "web", what: "created" },
      { at: new Date(1_700_000_500_000), by: "billing", what: "paid" },
    ],
    flags: { gift: false, express: number % 2 === 0 },
    version: 1,
  };
}
