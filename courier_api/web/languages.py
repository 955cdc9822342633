"""Which language a page speaks, and how it writes a day and an hour."""

from datetime import date, datetime

from flask import Response, request

from courier_api.guard import problems
from courier_api.settings import settings

LANGUAGES = ("vi", "en")
COOKIE = "lang"
A_YEAR_S = 365 * 24 * 3600

WEEKDAYS = {
    "vi": ("Thứ Hai", "Thứ Ba", "Thứ Tư", "Thứ Năm", "Thứ Sáu", "Thứ Bảy", "Chủ nhật"),
    "en": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
}
MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip


def language() -> str:
    """What was just chosen, else what was chosen before, else what the browser asks for, else Vietnamese."""
    for choice in (request.args.get("lang"), request.cookies.get(COOKIE)):
        if choice in LANGUAGES:
            return choice
    return problems.language()


def remember(response: Response) -> Response:
    """Keep a choice made with ?lang= for the next visits."""
    if (choice := request.args.get("lang")) in LANGUAGES:
        response.set_cookie(
            COOKIE, str(choice), max_age=A_YEAR_S, samesite="Lax", httponly=True, secure=request.is_secure
        )
    return response


def day(when: date, tongue: str) -> str:
    """A day in full: Thứ Ba, 24/11/2026 or Tuesday 24 November 2026."""
    weekday = WEEKDAYS[tongue][when.weekday()]
    if tongue == "en":
        return f"{weekday} {when.day} {MONTHS[when.month - 1]} {when.year}"
    return f"{weekday}, {when:%d/%m/%Y}"


def moment(when: datetime, tongue: str) -> str:
    """A local time and day."""
    local = when.astimezone(settings().timezone)
    return f"{local:%H:%M}, {day(local.date(), tongue)}"
