locals {
  installer = "/opt/roundtrip/install"

  artifacts = var.installation == null ? {} : {
    for name, artifact in var.installation.artifacts : upper(name) => artifact if artifact != null
  }

  # Read by shell and, line by line, by people: nothing in it needs more than quotes.
  release = var.installation == null ? [] : concat(
    [
      "AWS_REGION=${var.installation.region}",
      "RELEASE_BUCKET=${var.installation.bucket}",
      "ENVIRONMENT_PARAMETER=${var.installation.environment_parameter}",
      "# Before the second try; doubled with each.",
      "RETRY_SECONDS=${var.installation.retry_seconds}",
      "ENABLED_UNITS=\"${join(" ", concat(["roundtrip-environment.service", "roundtrip-environment.timer"], sort(var.installation.enabled_units)))}\"",
    ],
    flatten([for name, artifact in local.artifacts : ["${name}_KEY=${artifact.key}", "${name}_SHA256=${artifact.sha256}"]]),
  )

  installed_files = var.installation == null ? {} : merge(
    { for file in ["common.sh", "install.sh", "fetch-environment.sh"] : "${local.installer}/${file}" => { mode = "0755", content = file("${path.module}/install/${file}") } },
    # Not among the units that the installer puts in place: it is what starts the installer.
    { "/etc/systemd/system/roundtrip-install.service" = { mode = "0644", content = file("${path.module}/install/roundtrip-install.service") } },
    {
      for file in ["roundtrip-environment.service", "roundtrip-environment.timer"] :
      "${local.installer}/units/${file}" => { mode = "0644", content = file("${path.module}/install/${file}") }
    },
    { for name, content in var.installation.units : "${local.installer}/units/${name}" => { mode = "0644", content = content } },
    { "/etc/roundtrip/worker.env" = { mode = "0644", content = "ROUNDTRIP_CONFIG=/etc/roundtrip/environment.json\n" } },
    {
      "${local.installer}/amazon-cloudwatch-agent.json" = {
        mode = "0644"
        content = templatefile("${path.module}/install/amazon-cloudwatch-agent.json.tftpl", {
          namespace = var.installation.metrics_namespace
          log_group = var.installation.log_group
        })
      }
    },
  )

  # Packed: cloud-init unpacks it, and the units' likeness makes it small.
  user_data = var.installation == null ? null : base64gzip(templatefile("${path.module}/install/first-boot.sh.tftpl", {
    files   = { for path, file in local.installed_files : path => merge(file, { content = trimsuffix(file.content, "\n") }) }
    release = join("\n", local.release)
  }))
}
