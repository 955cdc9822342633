"""What the courier's phone reads in a scanned text, run in node: identity cards, names, tracking numbers, receipts."""

import random
import unicodedata

import pytest

from courier_api.dossiers import numbers
from tests.web import node
from tests.web.receipts import Device, Operator

run = node.script("read_cards.mjs")
FIELDS = [
    "033190001234",
    "145678901",
    "Nguyễn Thị Hoa",
    "05031990",
    "Nữ",
    "Số 2 Chùa Chuông, Phố Hiến, Hưng Yên",
    "12082021",
]
CARD = "|".join(FIELDS)
READ = {
    "number": "033190001234",
    "old": "145678901",
    "name": "Nguyễn Thị Hoa",
    "born": "1990-03-05",
    "sex": "Nữ",
    "address": "Số 2 Chùa Chuông, Phố Hiến, Hưng Yên",
    "issued": "2021-08-12",
}


def card(**changes: str) -> str:
    """The text on a card, some of its fields others."""
    return "|".join(changes.get(name, value) for name, value in zip(READ, FIELDS, strict=True))


def test_a_card_is_read() -> None:
    found = run(
        {"card": CARD},
        {"card": unicodedata.normalize("NFD", CARD) + "\r\n"},
        {"card": card(old="")},
        {"card": card(born="00001950", issued="")},
        {"card": CARD + "||Nguyễn Văn Bình|Trần Thị Lan|"},  # cards since 2024 name the parents
        {"card": card(born="29022000")},
        {"card": card(born="29022001")},
    )
    assert found == [
        READ,
        READ,
        READ | {"old": None},
        READ | {"born": None, "issued": None},
        READ,
        READ | {"born": "2000-02-29"},
        READ | {"born": None},
    ]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "|" * 6,
        "EH123456785VN",
        "https://post.example/track?number=EH123456785VN",
        "|".join(FIELDS[:6]),
        card(number="03319000123"),
        card(number="0331900012345"),
        card(number="03319000123A"),
        card(number="٠٣٣١٩٠٠٠١٢٣٤"),
        card(old="1456"),
        card(name=" "),
        card(name="12345"),
        card(born="5031990"),
        card(born="05/03/1990"),
        CARD.replace("|", ";"),
    ],
)
def test_what_is_no_card_is_none(text: str) -> None:
    assert run({"card": text}) == [None]


@pytest.mark.parametrize(
    ("a", "b", "same"),
    [
        ("Nguyễn Thị Hoa", "NGUYEN THI HOA", True),
        ("Nguyễn Thị Hoà", "Nguyễn Thị Hòa", True),
        ("Đỗ  Thị\u00a0Lan ", "do thi lan", True),
        ("Nguyễn Thị Hoa", unicodedata.normalize("NFD", "NguyễnThị Hoa"), True),
        ("H'Hen Niê", "H’Hen Niê", True),
        ("Nguyễn Thị Hoa", "Nguyễn Thị Hoan", False),
        ("Nguyễn Thị Hoa", "Nguyễn Thị", False),
        ("Nguyễn Thị Hoa", "Hoa Nguyễn Thị", False),
        ("", "", False),
        (" ", "-", False),
        (None, None, False),
        ("Nguyễn Thị Hoa", None, False),
    ],
)
def test_names_are_compared_as_people_write_them(a: str | None, b: str | None, same: bool) -> None:
    assert run({"names": [a, b]}, {"names": [b, a]}) == [same, same]


def test_a_seal_is_told_from_other_bar_codes() -> None:
    seals = ["NS-004217", "00042", "ABCDEFGHIJ0123456789", " ns004217\n"]
    others = ["4217", "ABCDEFGHIJ01234567890", "NIEMPHONG", "EH123456785VN", "EH123456789VN", "https://post.example/1"]
    found = run(*({"seal": text} for text in seals + others))
    assert found == [text.strip() for text in seals] + [None] * len(others)


def test_a_number_is_found_in_what_was_scanned() -> None:
    around = (
        "{}",
        " {}\r\n",
        "VNPOST:{};1/1",
        "https://post.example/track?number={}&phone_digits=123",
        "HTTPS://POST.EXAMPLE/T/{}",
        '{{"no":"{}"}}',
        "EH123456789VN {}",  # the first has another check digit
    )
    number = "RB123456785GB"
    assert run(*({"number": text.format(number)} for text in around)) == [number] * len(around)
    assert run({"number": "eh 123 456 785 vn"}, {"number": "eh123456785vn"}) == ["EH123456785VN"] * 2


@pytest.mark.parametrize(
    "text",
    [
        "",
        "RB123456786US",
        "EH123456789VN",
        "EH12345678VN",
        "EH1234567855VN",
        "XEH123456785VN",
        "EH123456785VNX",
        "EH123456785VN1",
        "_EH123456785VN",
        "EH123456785",
        "EH١٢٣٤٥٦٧٨٥VN",
        CARD,
    ],
)
def test_what_holds_no_number_is_none(text: str) -> None:
    assert run({"number": text}) == [None]


def test_check_digits_are_reckoned_as_the_server_does() -> None:
    chance = random.Random(10)
    cases = [f"EH{chance.randrange(10**8):08d}{chance.randrange(10)}VN" for _ in range(2000)]
    cases += [numbers.tracking_number("EH", chance.randrange(10**8)) for _ in range(500)]
    found = run(*({"number": number} for number in cases))
    assert found == [number if numbers.is_valid(number) else None for number in cases]
    assert 500 < sum(number is not None for number in found) < 1000


def test_a_receipt_tells_its_number() -> None:
    device = Device(Operator())
    digits = device.receipt().digits()
    wrong = device.receipt(tracking_number="EH123456789VN").digits()
    without = device.receipt(tracking_number="").digits()
    found = run(
        {"number": f"https://post.example/verify#{digits}"},
        {"number": f"HTTPS://POST.EXAMPLE/VERIFY#{digits}"},
        {"number": f"https://post.example/verify#{digits[:-40]}"},
        {"number": f"https://post.example/verify#{wrong}"},
        {"number": f"https://post.example/verify#{without}"},
    )
    assert found == ["EH123456785VN"] * 2 + [None] * 3
