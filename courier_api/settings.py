"""Settings, read once from the environment; README lists them."""

import os
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True)
class Settings:
    """What differs between one installation and another."""

    database_url: str
    redis_url: str
    secret_key: bytes
    timezone: ZoneInfo
    graph_dir: Path
    sms_log: Path | None
    planning_seconds: float
    otp_per_10_minutes: int
    otp_per_day: int
    otp_all_per_day: int
    codes_per_hour: int
    tracking_per_hour: int
    positions_per_minute: int
    token_lifetime: timedelta
    tracking_prefix: str
    trusted_proxies: int
    province_code: str
    operator_name: str
    complaint_months: int
    public_url: str
    ledger_origin: str
    operator_keys: Path
    evidence_store: str


@cache
def settings() -> Settings:
    """Read the environment; `settings.cache_clear()` reads it again."""
    env = os.environ
    return Settings(
        database_url=env.get("DATABASE_URL", "postgresql+psycopg2:///courier"),
        redis_url=env.get("REDIS_URL", "redis://127.0.0.1:6379/0"),
        secret_key=_secret(env.get("SECRET_KEY", "")),
        timezone=ZoneInfo(env.get("TIMEZONE", "Asia/Ho_Chi_Minh")),
        graph_dir=Path(env.get("GRAPH_DIR", ".local/graph")),
        sms_log=Path(env["SMS_LOG"]) if env.get("SMS_LOG") else None,
        planning_seconds=float(env.get("PLANNING_SECONDS", "8")),
        otp_per_10_minutes=int(env.get("OTP_PER_10_MINUTES", "3")),
        otp_per_day=int(env.get("OTP_PER_DAY", "5")),
        otp_all_per_day=int(env.get("OTP_ALL_PER_DAY", "20000")),
        codes_per_hour=int(env.get("CODES_PER_HOUR", "30")),
        tracking_per_hour=int(env.get("TRACKING_PER_HOUR", "60")),
        positions_per_minute=int(env.get("POSITIONS_PER_MINUTE", "1200")),
        token_lifetime=timedelta(days=int(env.get("TOKEN_DAYS", "30"))),
        tracking_prefix=env.get("TRACKING_PREFIX", "EH"),
        trusted_proxies=int(env.get("TRUSTED_PROXIES", "0")),
        province_code=env.get("PROVINCE_CODE", "33"),
        operator_name=env.get("OPERATOR_NAME", "Bưu điện tỉnh Hưng Yên"),
        complaint_months=int(env.get("COMPLAINT_MONTHS", "6")),
        public_url=env.get("PUBLIC_URL", "").rstrip("/"),
        ledger_origin=env.get("LEDGER_ORIGIN", "courier.local/custody"),
        operator_keys=Path(env.get("OPERATOR_KEYS", ".local/keys")),
        evidence_store=env.get("EVIDENCE_STORE", ".local/evidence"),
    )


def _secret(value: str) -> bytes:
    """Codes and tokens are keyed with this; a short one would let a stolen table be guessed."""
    if len(value) < 32:
        raise RuntimeError(
            "SECRET_KEY must be set to at least 32 characters (scripts/setup makes one in .local/secret_key)."
        )
    return value.encode()
