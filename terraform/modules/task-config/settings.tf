# The part of DMS's task settings that tasks.yaml decides; the rest stays DMS's own. Full LOB mode, because limited mode cuts
# documents and says so only in DMS's log; do-nothing, because dropping loses indexes; one applying thread, because parallel
# apply can stall or meet duplicate keys where a collection has secondary unique indexes.
locals {
  task_settings = {
    for id, settings in local.settings : id => {
      TargetMetadata = {
        SupportLobs          = true
        FullLobMode          = try(settings.lob.mode, "full") != "limited"
        LobChunkSize         = try(settings.lob.mode, "full") == "limited" ? 0 : try(settings.lob.chunkKilobytes, 64)
        LimitedSizeLobMode   = try(settings.lob.mode, "full") == "limited"
        LobMaxSize           = try(settings.lob.mode, "full") == "limited" ? try(settings.lob.maxKilobytes, 0) : 0
        BatchApplyEnabled    = false
        ParallelApplyThreads = 0
      }
      FullLoadSettings = {
        TargetTablePrepMode             = try(settings.targetPreparation, "do-nothing") == "drop-tables" ? "DROP_AND_CREATE" : "DO_NOTHING"
        MaxFullLoadSubTasks             = try(settings.fullLoad.parallelCollections, 8)
        CommitRate                      = try(settings.fullLoad.commitRate, 10000)
        StopTaskCachedChangesApplied    = false
        StopTaskCachedChangesNotApplied = false
      }
    }
  }
}
