locals {
  installer = "/opt/roundtrip/install"
  shared    = "${path.module}/../ec2/install"

  installed_files = merge(
    { "${local.installer}/common.sh" = { mode = "0755", content = file("${local.shared}/common.sh") } },
    { "${local.installer}/install.sh" = { mode = "0755", content = file("${path.module}/install/install.sh") } },
    { "/etc/systemd/system/roundtrip-install.service" = { mode = "0644", content = file("${local.shared}/roundtrip-install.service") } },
    { for unit in ["kafka.service", "zookeeper.service"] : "${local.installer}/units/${unit}" => { mode = "0644", content = file("${path.module}/install/${unit}") } },
  )

  user_data = {
    for id in keys(local.nodes) : id => base64gzip(templatefile("${local.shared}/first-boot.sh.tftpl", {
      files = { for path, file in local.installed_files : path => merge(file, { content = trimsuffix(file.content, "\n") }) }
      release = join("\n", [
        "AWS_REGION=${var.release.region}",
        "RELEASE_BUCKET=${var.release.bucket}",
        "CONFIGURATION=${var.parameter_path}",
        "NODE_ID=${id}",
        "VOLUME_ID=${aws_ebs_volume.this[id].id}",
        "# Before the second try; doubled with each.",
        "RETRY_SECONDS=${var.release.retry_seconds}",
        "# The runbook kafka-setup starts them, in order.",
        "ENABLED_UNITS=\"\"",
        "JAVA_KEY=${var.release.java.key}",
        "JAVA_SHA256=${var.release.java.sha256}",
        "KAFKA_KEY=${var.release.kafka.key}",
        "KAFKA_SHA256=${var.release.kafka.sha256}",
      ])
    }))
  }
}
