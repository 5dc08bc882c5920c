"""`boto.py STS`: asks boto3 for credentials, by whatever its surroundings lead it to, and signs a call with them."""

import sys

import boto3

from answering import answer

session = boto3.Session()

def ask():
    sts = session.client("sts", endpoint_url=sys.argv[1])
    arn = sts.get_caller_identity()["Arn"]
    credentials = session.get_credentials()
    got = {"token": credentials.get_frozen_credentials().token, "arn": arn}
    return {**got, "expiresOn": credentials._expiry_time.timestamp()}


answer(ask)
