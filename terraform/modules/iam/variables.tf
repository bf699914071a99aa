variable "roles" {
  description = <<-EOT
    Roles by key. `service` is the AWS service that may take the role, or `github` the workflows that may: the account's OIDC
    provider and the exact subjects, or `principals` the other roles that may, by ARN. `statements` are what it may do, each with `why`: the code that needs it. `policy_name` names
    the role's own policy; `managed_policy_arns` are AWS's policies attached besides.
  EOT
  type = map(object({
    name                = string
    policy_name         = string
    description         = string
    service             = optional(string)
    github              = optional(object({ provider_arn = string, subjects = list(string) }))
    principals          = optional(list(string))
    instance_profile    = optional(bool, false)
    managed_policy_arns = optional(list(string), [])
    statements = list(object({
      sid       = string
      why       = string
      actions   = list(string)
      resources = list(string)
      conditions = optional(list(object({
        test     = string
        variable = string
        values   = list(string)
      })), [])
    }))
  }))
  nullable = false

  validation {
    condition     = alltrue([for role in var.roles : can(regex("^[\\w+=,.@-]{1,64}$", role.name)) && can(regex("^[\\w+=,.@-]{1,128}$", role.policy_name))])
    error_message = "roles: names must be 1 to 64 (policies 128) letters, digits and any of +=,.@_-."
  }
  validation {
    condition     = alltrue([for role in var.roles : role.service == null ? true : can(regex("^[a-z0-9.-]+\\.amazonaws\\.com$", role.service))])
    error_message = "roles: service must be a service principal such as lambda.amazonaws.com."
  }
  validation {
    condition     = alltrue([for role in var.roles : length([for given in [role.service != null, role.github != null, role.principals != null] : given if given]) == 1])
    error_message = "roles: give service, github or principals, and only one of them."
  }
  validation {
    condition     = alltrue([for role in var.roles : role.principals == null ? true : length(role.principals) > 0 && alltrue([for arn in role.principals : can(regex("^arn:aws[\\w-]*:iam::\\d{12}:role/[\\w+=,.@/-]+$", arn))])])
    error_message = "roles: principals must be ARNs of roles, one at least; no account and no wildcard."
  }
  validation {
    condition     = alltrue([for role in var.roles : role.github == null ? true : can(regex("^arn:aws[\\w-]*:iam::\\d{12}:oidc-provider/token\\.actions\\.githubusercontent\\.com$", role.github.provider_arn))])
    error_message = "roles: github.provider_arn must be the ARN of the account's provider token.actions.githubusercontent.com."
  }
  validation {
    condition     = alltrue([for role in var.roles : role.github == null ? true : length(role.github.subjects) > 0 && alltrue([for subject in role.github.subjects : can(regex("^repo:[^*?:]+:[^*?]+$", subject))])])
    error_message = "roles: github.subjects must be whole, such as repo:acme/shop:environment:prod, without * or ?: one of them would let other repositories or branches in."
  }
  validation {
    condition     = alltrue(flatten([for role in var.roles : [for statement in role.statements : [for action in statement.actions : can(regex("^[a-z0-9-]+:[A-Za-z0-9]+$", action))]]]))
    error_message = "roles: actions are named one by one, such as s3:GetObject; no wildcards."
  }
  validation {
    condition     = alltrue(flatten([for role in var.roles : [for statement in role.statements : length(statement.why) > 0 && can(regex("^[A-Za-z0-9]+$", statement.sid))]]))
    error_message = "roles: each statement needs a sid of letters and digits, and why: the code that needs it."
  }
  validation {
    condition     = alltrue(flatten([for role in var.roles : [for statement in role.statements : length(statement.actions) > 0 && length(statement.resources) > 0]]))
    error_message = "roles: each statement needs actions and resources."
  }
}

variable "tags" {
  description = "Tags of everything this module makes."
  type        = map(string)
  default     = {}
  nullable    = false
}
