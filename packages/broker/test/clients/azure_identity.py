"""`azure_identity.py CREDENTIAL SCOPE [CLIENT_ID]`: asks a credential of azure-identity for a token."""

import sys

from azure.identity import DefaultAzureCredential, ManagedIdentityCredential

from answering import answer

kind, scope, *client_id = sys.argv[1:]
kinds = {"default": DefaultAzureCredential, "managed": ManagedIdentityCredential}
credential = kinds[kind](**({"client_id": client_id[0]} if client_id else {}))


def ask():
    got = credential.get_token(scope)
    return {"token": got.token, "expiresOn": got.expires_on}


answer(ask)
