# Named <prefix>-<action>, as the runbooks call them. The content is the file's, byte for byte.
resource "aws_ssm_document" "this" {
  for_each = { for file in fileset(var.directory, "*.json") : trimsuffix(file, ".json") => "${var.directory}/${file}" }

  name            = "${var.prefix}-${each.key}"
  document_type   = "Command"
  document_format = "JSON"
  content         = file(each.value)
  tags            = var.tags
}
