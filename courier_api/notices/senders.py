"""How a message leaves: one small interface, a file in place of a gateway for demos."""

import json
import os

from courier_api.db import now
from courier_api.errors import Unavailable
from courier_api.settings import settings


def send_sms(phone: str, text: str) -> None:
    """Write a text message to `SMS_LOG`, for demos and development; raises Unavailable where that is not set.

    A code in a general log would let whoever reads logs sign in as anybody.
    """
    path = settings().sms_log
    if path is None:
        raise Unavailable("no_sms_sender")
    path.parent.mkdir(parents=True, exist_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "a", encoding="utf-8") as file:
        file.write(json.dumps({"at": now().isoformat(), "phone": phone, "text": text}, ensure_ascii=False) + "\n")
