"""Invented people: names drawn from common Vietnamese ones, phone numbers that follow from a counter."""

import random

FAMILY = ("Nguyễn", "Trần", "Lê", "Phạm", "Hoàng", "Vũ", "Đặng", "Bùi", "Đỗ", "Ngô", "Dương", "Đào", "Lưu", "Mai")
MIDDLE = {"f": ("Thị", "Thu", "Thanh", "Ngọc"), "m": ("Văn", "Đức", "Hữu", "Quang")}
GIVEN = {
    "f": ("Hoa", "Lan", "Mai", "Hương", "Thảo", "Nga", "Yến", "Hạnh", "Loan", "Vân", "Tuyết", "Dung"),
    "m": ("Nam", "Dũng", "Hùng", "Sơn", "Tuấn", "Minh", "Thắng", "Long", "Bình", "Kiên", "Phúc", "Toàn"),
}


def name(rng: random.Random) -> str:
    """A full name."""
    sex = rng.choice("fm")
    return f"{rng.choice(FAMILY)} {rng.choice(MIDDLE[sex])} {rng.choice(GIVEN[sex])}"


def phone(group: int, number: int) -> str:
    """A mobile number in E.164 that nobody else here has: `group` 0 to 9, `number` below a million."""
    return f"+8497{group}{number:06d}"
