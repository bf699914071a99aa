output "ids" {
  description = "Ids of the endpoints by service."
  value       = merge({ s3 = aws_vpc_endpoint.s3.id }, { for service, endpoint in aws_vpc_endpoint.interface : service => endpoint.id })
}

output "s3_prefix_list_id" {
  description = "Prefix list of S3's addresses: what an egress rule names to let S3 be reached and nothing else."
  value       = aws_vpc_endpoint.s3.prefix_list_id
}
