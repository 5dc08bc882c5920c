"""`google_auth.py access|facts`: asks google-auth, by the metadata server."""

import datetime
import sys

import google.auth
import google.auth.transport.requests

from answering import answer

kind = sys.argv[1]
request = google.auth.transport.requests.Request()
credentials, project = google.auth.default()


def access():
    if not credentials.valid:
        credentials.refresh(request)
    expiry = credentials.expiry.replace(tzinfo=datetime.timezone.utc)
    return {"token": credentials.token, "expiresOn": expiry.timestamp()}


def facts():
    credentials.refresh(request)
    return {"project": project, "email": credentials.service_account_email}


answer({"access": access, "facts": facts}[kind])
