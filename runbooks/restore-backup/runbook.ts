import { untilPattern } from "../../core/backup/point-in-time.ts";
import type { Operation } from "../engine/runbook.ts";
import { operationsHostAsBefore, operationsHostReady } from "../steps/operations-host.ts";
import { preview } from "./preview-step.ts";
import { restore } from "./restore-step.ts";
import { tasksStopped } from "./tasks-stopped.ts";

export const restoreBackup: Operation = {
  kind: "operation",
  name: "restore-backup",
  summary: "Preview and restore a backup of MongoDB, also to a second or an operation; beside, or in place.",
  inputs: [
    {
      name: "backup",
      description: "latest, or the id of a backup (roundtrip backups list)",
      pattern: /^(latest|\d{4}-\d{2}-\d{2}T\d{2}-\d{2}-\d{2}Z)$/,
      default: "latest",
    },
    {
      name: "until",
      description: "empty for the backup itself, a second like 2026-11-21T10:00:00Z, or an operation t:i",
      pattern: untilPattern,
      default: "",
    },
    {
      name: "into",
      description: "beside, into another server; or in-place, over MongoDB",
      pattern: /^(beside|in-place)$/,
      default: "beside",
    },
    {
      name: "secret",
      description: "beside: secret of the other server; - for the scratch server",
      pattern: /^(-|[A-Za-z0-9][A-Za-z0-9_+=.@-]+(\/[A-Za-z0-9_+=.@-]{2,})*)$/,
      default: "-",
    },
    {
      name: "drop",
      description: "whether what the server has and the backup doesn't is dropped",
      pattern: /^(true|false)$/,
      default: "false",
    },
    {
      name: "confirm",
      description: "digest of the preview that is to be restored; - for a preview only",
      pattern: /^(-|[0-9a-f]{16})$/,
      default: "-",
    },
    {
      name: "confirm-environment",
      description: "in place: the environment whose MongoDB is overwritten; - otherwise",
      pattern: /^(-|[a-z][a-z0-9-]{0,31})$/,
      default: "-",
    },
  ],
  steps: [operationsHostReady, tasksStopped, preview, restore, operationsHostAsBefore],
  next: "look at what was restored",
};
