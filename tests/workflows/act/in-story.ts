/** Workflows that the story runs; its last test holds it to this list, and others.test.ts runs the rest. */
export const runInStory = [
  "plan",
  "apply",
  "readiness",
  "drift",
  "status",
  "failback-start",
  "failback-restore",
  "failback-clean",
  "failback-resume",
  "failback-reopen",
  "failback-abort",
];
