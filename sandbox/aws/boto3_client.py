"""Calls the stand-in with boto3, whose signing, checksums and encodings share nothing with the JavaScript SDK.

Argument: the endpoint. Keys come from the AWS variables. Prints one JSON object of what it saw.
"""

import io
import json
import socket
import sys
import urllib.error
import urllib.request
import zipfile

import boto3
from botocore.config import Config

endpoint = sys.argv[1]
resolve = socket.getaddrinfo
# Virtual-hosted buckets live below localhost, which not every resolver knows.
socket.getaddrinfo = lambda host, *rest, **more: resolve(
    "127.0.0.1" if host.endswith(".localhost") else host, *rest, **more
)


def client(service, url=endpoint, **config):
    return boto3.client(service, endpoint_url=url, region_name="us-east-1", config=Config(**config))


def status(url):
    try:
        return urllib.request.urlopen(url).status
    except urllib.error.HTTPError as error:
        return error.code


seen = {}
s3 = client("s3", signature_version="s3v4")
s3.create_bucket(Bucket="boto")
keys = ["a", "a b+c%2F/é", "x//y", "ключ"]
for key in keys:
    s3.put_object(Bucket="boto", Key=key, Body=key.encode(), Metadata={"kind": "dump"}, ChecksumAlgorithm="CRC32")
seen["bodies"] = [s3.get_object(Bucket="boto", Key=key)["Body"].read().decode() for key in keys] == keys
seen["listed"] = [entry["Key"] for entry in s3.list_objects_v2(Bucket="boto")["Contents"]] == sorted(keys)
s3.upload_fileobj(io.BytesIO(b"z" * (20 << 20)), "boto", "large")
seen["large"] = s3.head_object(Bucket="boto", Key="large")["ContentLength"]
signed = s3.generate_presigned_url("get_object", Params={"Bucket": "boto", "Key": keys[1]})
seen["presigned"] = urllib.request.urlopen(signed).read().decode()
seen["tampered"] = status(signed[:-1] + ("0" if signed[-1] != "0" else "1"))
expired = s3.generate_presigned_url("get_object", Params={"Bucket": "boto", "Key": "a"}, ExpiresIn=-1)
seen["expired"] = status(expired)
virtual = client("s3", endpoint.replace("127.0.0.1", "localhost"), s3={"addressing_style": "virtual"})
seen["virtual"] = virtual.get_object(Bucket="boto", Key="a")["Body"].read().decode()

seen["identity"] = client("sts").get_caller_identity()["Arn"]
client("secretsmanager").create_secret(Name="boto", SecretString="{}")
seen["secret"] = client("secretsmanager").get_secret_value(SecretId="boto")["SecretString"]
client("ssm").put_parameter(Name="/boto/e", Value="välue", Type="String")
seen["parameter"] = client("ssm").get_parameter(Name="/boto/e")["Parameter"]["Value"]

archive = io.BytesIO()
with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as package:
    package.writestr("index.mjs", "export const handler = async (event) => ({ got: event });")
functions = client("lambda")
functions.create_function(
    FunctionName="boto",
    Runtime="nodejs20.x",
    Role="arn:aws:iam::123456789012:role/boto",
    Handler="index.handler",
    Code={"ZipFile": archive.getvalue()},
)
functions.get_waiter("function_active_v2").wait(FunctionName="boto", WaiterConfig={"Delay": 1})
seen["lambda"] = json.loads(functions.invoke(FunctionName="boto", Payload=b'{"a": 1}')["Payload"].read())
seen["ec2"] = client("ec2").describe_instances()["Reservations"]
seen["dms"] = client("dms").describe_replication_tasks()["ReplicationTasks"]
print(json.dumps(seen))
