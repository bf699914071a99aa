/** What the drill replicates; the repository's own tasks.yaml has the same shape. */
export interface DrillCollection {
  readonly database: string;
  readonly collection: string;
  /** Has a unique index on `email`. */
  readonly unique: boolean;
  /** Does not exist until the application creates it while MongoDB is down. */
  readonly late: boolean;
}

export const drillCollections: readonly DrillCollection[] = [
  { database: "shop_orders", collection: "orders", unique: false, late: false },
  { database: "shop_orders", collection: "order_items", unique: false, late: false },
  { database: "shop_orders", collection: "order_events", unique: false, late: false },
  { database: "shop_orders", collection: "returns", unique: false, late: true },
  { database: "shop_customers", collection: "customers", unique: true, late: false },
  { database: "shop_customers", collection: "loyalty_cards", unique: false, late: false },
  { database: "shop_customers", collection: "address_book", unique: false, late: false },
  { database: "billing", collection: "invoices", unique: true, late: false },
  { database: "billing", collection: "payment_attempts", unique: false, late: false },
  { database: "billing", collection: "ledger_entries", unique: false, late: false },
];

/** Written by the application but not in tasks.yaml: captured, held, counted, never applied. */
export const outOfScope = { database: "shop_orders", collection: "scratch_pad" } as const;

export function namespaceOf(of: { database: string; collection: string }): string {
  return `${of.database}.${of.collection}`;
}
