output "instance_id" {
  description = "Id of the machine."
  value       = aws_instance.this.id
}

output "private_ip" {
  description = "Address of the machine in the VPC."
  value       = aws_instance.this.private_ip
}
