"""How a message leaves: one small interface, a log in place of a gateway where none is set up."""

import json
import logging

from courier_api.db import now
from courier_api.settings import settings

log = logging.getLogger("courier.sms")


def send_sms(phone: str, text: str) -> None:
    """Send a text message. Without a gateway it is written to `SMS_LOG`, or to the log where that is not set."""
    path = settings().sms_log
    if path is None:
        log.warning("SMS to %s: %s", phone, text)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps({"at": now().isoformat(), "phone": phone, "text": text}, ensure_ascii=False) + "\n")
