/**
 * Directives of real systemd that change nothing for what is tested here: they confine a process or describe it.
 * They are accepted without a word; anything else that isn't read is named in the journal.
 */
const ignored = new Set(
  `Unit.Documentation Unit.DefaultDependencies Unit.RequiresMountsFor Unit.AssertPathExists Unit.CollectMode Unit.StartLimitAction
  Unit.IgnoreOnIsolate Unit.RefuseManualStart Unit.RefuseManualStop Unit.StopWhenUnneeded Unit.JobTimeoutSec Unit.FailureAction Unit.SuccessAction
  Install.Alias Install.Also Install.DefaultInstance
  Timer.AccuracySec Timer.RandomizedDelaySec Timer.WakeSystem Timer.RemainAfterElapse Timer.FixedRandomDelay
  Service.User Service.Group Service.SupplementaryGroups Service.UMask Service.Nice Service.IOSchedulingClass
  Service.IOSchedulingPriority Service.CPUSchedulingPolicy Service.CPUWeight Service.CPUQuota Service.IOWeight Service.MemoryMax
  Service.MemoryHigh Service.MemoryLow Service.MemoryMin Service.MemorySwapMax Service.TasksMax Service.Slice Service.Delegate Service.OOMPolicy
  Service.OOMScoreAdjust Service.LimitNOFILE Service.LimitNPROC Service.LimitCORE Service.LimitMEMLOCK Service.StandardOutput
  Service.StandardError Service.StandardInput Service.SyslogIdentifier Service.SyslogLevel Service.LogRateLimitIntervalSec
  Service.LogRateLimitBurst Service.SendSIGHUP Service.SendSIGKILL Service.GuessMainPID Service.PIDFile Service.ExecReload Service.ExecCondition
  Service.NoNewPrivileges Service.ProtectSystem Service.ProtectHome Service.PrivateDevices Service.PrivateUsers Service.PrivateNetwork
  Service.PrivateIPC Service.ProtectKernelTunables Service.ProtectKernelModules Service.ProtectKernelLogs Service.ProtectControlGroups
  Service.ProtectClock Service.ProtectHostname Service.ProtectProc Service.ProcSubset Service.RestrictAddressFamilies
  Service.RestrictNamespaces Service.RestrictRealtime Service.RestrictSUIDSGID Service.RemoveIPC Service.LockPersonality
  Service.SystemCallArchitectures Service.SystemCallFilter Service.SystemCallErrorNumber Service.CapabilityBoundingSet
  Service.AmbientCapabilities Service.KeyringMode Service.ReadWritePaths Service.ReadOnlyPaths Service.InaccessiblePaths Service.BindPaths
  Service.BindReadOnlyPaths Service.TemporaryFileSystem Service.IPAddressAllow Service.IPAddressDeny Service.IPAccounting
  Service.StateDirectoryMode Service.RuntimeDirectoryMode Service.CacheDirectoryMode Service.LogsDirectoryMode
  Service.ConfigurationDirectoryMode Service.RuntimeDirectoryPreserve Service.TimeoutAbortSec Service.RestartKillSignal
  Service.WatchdogSignal Service.FinalKillSignal Service.PassEnvironment Service.MemoryDenyWriteExecute`.split(
    /\s+/,
  ),
);

/** True for a directive that this stand-in may leave out without a test noticing. */
export function isIgnoredDirective(section: string, key: string): boolean {
  return section.startsWith("X-") || key.startsWith("X-") || ignored.has(`${section}.${key}`);
}
