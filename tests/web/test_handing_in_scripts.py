"""Taking back, and what is given in at the post office: the app's rules in node."""

from typing import Any

from tests.web.test_outbox_scripts import CITIZEN, ME, OFFICE, handover, operation, row, run

MINE, OTHERS = "EH000000014VN", "RB123456785GB"


def taken_back(queue: list[dict[str, Any]], id_: str) -> Any:
    (found,) = run({"do": "takenBack", "queue": queue, "id": id_})
    return found


def test_what_is_taken_back_takes_all_after_it_along() -> None:
    queue = [row(n) for n in (1, 2, 3)] + [row(1, "k2")]
    assert taken_back(queue, "k1-2") == ["k1-2", "k1-3"]
    assert taken_back(queue, "k2-1") == ["k2-1"]
    assert taken_back(queue, "k1-9") == []


def test_nothing_is_taken_back_once_it_may_have_left() -> None:
    queue = [row(1, sent_at=1_795_000_000_000), row(2), row(3)]
    assert taken_back(queue, "k1-1") == []
    assert taken_back(queue, "k1-2") == ["k1-2", "k1-3"]
    # What came later may have gone out while an earlier one was kept back.
    assert taken_back([row(1), row(2, sent_at=1_795_000_000_000)], "k1-1") == []


def given_in(counter: int, n: int, together: str | None) -> dict[str, Any]:
    made = handover(counter, n, ME, OFFICE, leg=2)
    made["fields"]["by"] = "GDV-01"
    return made | {"subject": made["subject"] | {"together": together}}


def test_what_one_clerk_signed_for_is_one_entry() -> None:
    paid = operation(6, "courier.settlement", {"together": "b"}, fields={"by": "GDV-02", "amount": 30_000})
    bags = [given_in(3, 1, "a"), given_in(4, 2, "a"), given_in(5, 3, "b")]
    at_doors = [handover(1, 1, CITIZEN, ME), handover(2, 4, ME, CITIZEN)]
    (found,) = run({"do": "handedIn", "operations": [paid, *reversed(bags), *at_doors]})
    ids = {one["counter"]: one["id"] for one in [*bags, paid]}
    assert found == [
        {"id": ids[5], "by": "GDV-01", "bags": [ids[5]], "settlement": ids[6]},
        {"id": ids[3], "by": "GDV-01", "bags": [ids[3], ids[4]], "settlement": None},
    ]


def test_what_was_signed_for_one_by_one_stands_by_itself() -> None:
    (found,) = run({"do": "handedIn", "operations": [given_in(3, 1, None), given_in(4, 2, None)]})
    assert [len(one["bags"]) for one in found] == [1, 1]


def test_what_a_scanned_code_is_among_the_bags() -> None:
    def judged(text: str, found: list[str]) -> Any:
        (made,) = run({"do": "bagIn", "text": text, "wanted": [MINE], "found": found})
        return made["kind"], made["number"]

    assert judged(f"https://x/{MINE}", []) == ("found", MINE)
    assert judged(MINE, [MINE]) == ("again", MINE)
    assert judged(OTHERS, []) == ("foreign", OTHERS)
    assert judged("NS-004217", []) == ("none", None)
