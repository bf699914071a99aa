locals {
  installer = "/opt/roundtrip/install"
  shared    = "${path.module}/../ec2/install"

  # The worker reads the environment's document, as on the hosts.
  environment_units = ["roundtrip-environment.service", "roundtrip-environment.timer"]

  installed_files = merge(
    { for file in ["common.sh", "fetch-environment.sh"] : "${local.installer}/${file}" => { mode = "0755", content = file("${local.shared}/${file}") } },
    { "${local.installer}/install.sh" = { mode = "0755", content = file("${path.module}/install/install.sh") } },
    { "/etc/systemd/system/roundtrip-install.service" = { mode = "0644", content = file("${local.shared}/roundtrip-install.service") } },
    { for unit in local.environment_units : "${local.installer}/units/${unit}" => { mode = "0644", content = file("${local.shared}/${unit}") } },
    { "/etc/roundtrip/worker.env" = { mode = "0644", content = "ROUNDTRIP_CONFIG=/etc/roundtrip/environment.json\n" } },
    { for unit in ["kafka.service", "zookeeper.service"] : "${local.installer}/units/${unit}" => { mode = "0644", content = file("${path.module}/install/${unit}") } },
  )

  user_data = {
    for id in keys(local.nodes) : id => base64gzip(templatefile("${local.shared}/first-boot.sh.tftpl", {
      files = { for path, file in local.installed_files : path => merge(file, { content = trimsuffix(file.content, "\n") }) }
      release = join("\n", [
        "AWS_REGION=${var.release.region}",
        "RELEASE_BUCKET=${var.release.bucket}",
        "ENVIRONMENT_PARAMETER=${var.release.environment_parameter}",
        "CONFIGURATION=${var.parameter_path}",
        "NODE_ID=${id}",
        "VOLUME_ID=${aws_ebs_volume.this[id].id}",
        "# Before the second try; doubled with each.",
        "RETRY_SECONDS=${var.release.retry_seconds}",
        "# ZooKeeper and Kafka are not among them: the runbook kafka-setup starts them, in order, and enables them.",
        "ENABLED_UNITS=\"${join(" ", local.environment_units)}\"",
        "WORKER_KEY=${var.release.worker.key}",
        "WORKER_SHA256=${var.release.worker.sha256}",
        "JAVA_KEY=${var.release.java.key}",
        "JAVA_SHA256=${var.release.java.sha256}",
        "KAFKA_KEY=${var.release.kafka.key}",
        "KAFKA_SHA256=${var.release.kafka.sha256}",
      ])
    }))
  }
}
