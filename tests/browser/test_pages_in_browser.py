"""The pages in Chromium: a round is chosen and its stops show, nothing is reported, no one outside is asked."""

from tests import cast as story
from tests.browser.driving import PICTURES, drive
from tests.cast import HOME, Cast

SECONDS = 150  # some 20 on an idle machine


def test_a_round_is_chosen_and_its_stops_show(cast: Cast, address: str) -> None:
    # Far enough from each other that the round is a line to be clicked on the map of the whole province.
    places = [HOME, (106.0900, 20.6700), (106.0700, 20.6850)]
    dossiers = [story.book(cast, point={"lon": lon, "lat": lat}) for lon, lat in places]
    story.plan_and_publish(cast)

    found = drive("drive.mjs", address, seconds=SECONDS, TOKEN=cast.dispatcher.token, LINK=dossiers[0]["tracking_link"])
    assert found["shown"].keys() == {"vi-phone", "vi-desk", "en-phone", "en-desk", "clicked"}
    for view, shown in found["shown"].items():
        english = view.startswith("en")
        assert shown["courier"] == "Trần Văn Nam"
        assert shown["numbers"] == ["1", "2", "3"]
        assert all(("Pickup" if english else "Thu gom") in stop for stop in shown["stops"])
        assert all("Nguyễn Thị Hoa" in stop and "Số 2 Chùa Chuông" in stop for stop in shown["stops"])
        assert ("Roads and hamlets are synthetic" if english else "là dữ liệu mô phỏng") in shown["notice"]
        assert shown["focused"] == "H2"
    assert found["signedOut"]
    assert found["tracked"] == "Đã đăng ký, chờ bưu tá đến"
    assert len(list(PICTURES.glob("map-*.png"))) >= 8
