"""One dossier all the way: booked, collected, received by the agency, its result delivered."""

from uuid import uuid4

from tests import cast as story
from tests.cast import Cast, tomorrow


def test_a_dossier_travels_the_whole_way(cast: Cast) -> None:
    dossier = story.book(cast)
    assert dossier["state"] == "submitted"
    assert dossier["charges"]["total"] == sum(dossier["charges"][k] for k in ("state_fee", "postage", "fee_transfer"))

    round_ = story.plan_and_publish(cast)
    assert [s["job"]["kind"] for s in round_["stops"]] == ["pickup"]
    assert round_["line"]["type"] == "LineString"
    assert round_["metres"] > 0

    story.start(cast, round_["id"])
    stop = story.arrive(cast, round_["stops"][0])
    assert stop["arrived_metres"] == 0
    handover = cast.courier.put(f"/handovers/{uuid4()}", story.pickup(cast, stop))
    assert (handover["from_role"], handover["to_role"], handover["leg"]) == ("citizen", "courier", 1)
    assert handover["fee_collected"] == dossier["charges"]["total"]
    assert [i["tracking_number"] for i in cast.courier.get("/items")] == [dossier["items"][0]["tracking_number"]]

    item = cast.clerk.get(f"/couriers/{cast.courier.person_id}/items")[0]
    cast.clerk.put(f"/receipts/{uuid4()}", story.at_counter(item))
    cast.courier.get(f"/rounds/{round_['id']}")
    cast.courier.put(
        f"/rounds/{round_['id']}/finish", If_Match=cast.courier.etags[f"/api/v1/couriers/rounds/{round_['id']}"]
    )
    assert cast.clerk.get("/items")["items"][0]["state"] == "at_office"

    manifest = cast.clerk.post("/manifests", {"centre_id": str(cast.centre.id), "item_ids": [item["id"]]})
    line = cast.officer.get(f"/manifests/{manifest['id']}")["lines"][0]
    answer = {
        "handover_id": str(uuid4()),
        "device_at": tomorrow(14).isoformat(),
        "lines": story.counted(line["lines"]),
        "dossier_code": "000.00.31.H31-261124-0001",
        "due_date": tomorrow().date().isoformat(),
    }
    accepted = cast.officer.put(f"/manifests/{manifest['id']}/lines/{item['id']}/acceptance", answer)
    assert accepted["state"] == "accepted"
    assert cast.citizen.get(f"/dossiers/{dossier['id']}")["dossier_code"] == "000.00.31.H31-261124-0001"

    result = {
        "dossier_id": dossier["id"],
        "papers": [{"name": "Giấy chứng nhận", "originals": 1, "copies": 0}],
        "received_by": cast.clerk.person_id,
        "device_at": tomorrow(15).isoformat(),
    }
    cast.officer.put(f"/results/{uuid4()}", result)
    assert cast.citizen.get(f"/dossiers/{dossier['id']}")["state"] == "result_ready"

    afternoon = story.plan_and_publish(cast, "afternoon")
    bag = next(i for i in cast.clerk.get("/items")["items"] if i["kind"] == "result")
    cast.clerk.put(f"/loadings/{uuid4()}", story.at_counter(bag, courier_id=cast.courier.person_id))
    story.start(cast, afternoon["id"])
    stop = story.arrive(cast, afternoon["stops"][0])
    assert stop["requirements"]["fee"] == 0
    delivered = cast.courier.put(f"/handovers/{uuid4()}", story.delivery(cast, stop))
    assert (delivered["from_role"], delivered["to_role"], delivered["leg"]) == ("courier", "citizen", 3)

    end = cast.citizen.get(f"/dossiers/{dossier['id']}")
    assert end["state"] == "delivered"
    kinds = [e["kind"] for e in cast.citizen.get(f"/dossiers/{dossier['id']}/timeline")["items"]]
    assert kinds == [
        "submitted",
        "pickup_planned",
        "collected",
        "at_office",
        "handed_over",
        "received",
        "result_ready",
        "delivery_planned",
        "out_for_delivery",
        "delivered",
    ]

    public = cast.client.get(f"/api/v1/public/tracking/{dossier['tracking_link'].removeprefix('/t/')}")
    assert public.get_json()["state"] == "delivered"
    by_number = f"/api/v1/public/tracking?number={dossier['items'][0]['tracking_number']}&phone_digits=0001"
    assert cast.client.get(by_number).get_json()["state"] == "delivered"
    assert "Hoa" not in cast.client.get(by_number).get_data(as_text=True)
