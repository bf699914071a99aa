/** A tasks file of many tasks, for measuring: names, owners, comments and settings as people write them. */
export function manyTasks(count: number, changed = false): string {
  const lines = ["version: 1", "defaults:", "  owners: [team-platform]", "tasks:"];
  for (let index = 0; index < count; index++) {
    lines.push(
      `  # What team ${index % 50} keeps.`,
      `  - id: task-${index}`,
      `    database: database_${index}`,
      `    owners: [team-${index % 50}]`,
      "    collections:",
      "      - orders",
      "      - order_items",
      `      - {name: events_${index}, loadOrder: 2}`,
      "      - returns",
    );
    if (changed) lines.push("      - refunds");
    if (index % 10 === 0) lines.push("    environments:", "      dev: {running: false}");
  }
  return `${lines.join("\n")}\n`;
}
