variable "slack" {
  description = <<-EOT
    Tells Slack of each change of phase and each alarm; null tells nobody there. `webhook_secret_name` is the secret with the incoming
    webhook's address, {"url": "https://hooks.slack.com/services/…"}. `repository_url` is where runbooks are started, for links; left out,
    it is the repository of `github` on github.com.
  EOT
  type = object({
    webhook_secret_name = string
    repository_url      = optional(string)
  })
  default = null

  validation {
    condition     = var.slack == null ? true : can(regex("^[\\w/+=.@-]{1,512}$", var.slack.webhook_secret_name))
    error_message = "slack.webhook_secret_name must be the name of a secret in Secrets Manager. The webhook's address is what that secret holds, and belongs nowhere else."
  }
  validation {
    condition     = try(var.slack.repository_url, null) == null ? true : can(regex("^https://[\\w.-]+(:\\d+)?/[\\w.-]+/[\\w.-]+$", var.slack.repository_url))
    error_message = "slack.repository_url must read like https://github.com/acme/data."
  }
}

variable "lambda_notify_package" {
  description = "The archive of the function that tells Slack, as `make build` writes it; read only where `slack` is given."
  type        = string
  default     = "../../dist/notify.zip"
  nullable    = false
}
