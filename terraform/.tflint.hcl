# Every rule of both rulesets; what is off has its reason here, a single exception beside its line (`# tflint-ignore: rule # reason`).
plugin "terraform" {
  enabled = true
  preset  = "all"
}

plugin "aws" {
  enabled = true
}

# Files are split by subject (variables.dms.tf, main.iam.tf), so that none is too long to be read.
rule "terraform_standard_module_structure" {
  enabled = false
}
