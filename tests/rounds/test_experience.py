"""What done stops teach, neighbours at one door, and a round ridden beside its plan."""

from datetime import datetime
from uuid import uuid4

from sqlalchemy import text

from courier_api.jobs.states import JobKind
from courier_api.jobs.work import SERVICE_SECONDS
from courier_api.places.geography import require_inside
from courier_api.rounds import daywork, experience
from courier_api.rounds.models import DayPlan
from courier_api.rounds.states import Half
from tests import cast as story
from tests.cast import HOME, Cast, tomorrow
from tests.refusals import refused

PICKUP = JobKind.pickup
DEFAULT_S = SERVICE_SECONDS[PICKUP] + experience.SETUP_S


def commune(cast: Cast) -> str:
    return require_inside(cast.session, *HOME).code


def many_done(cast: Cast, seconds: list[int], days_ago: int = 1) -> None:
    """Stops like the one just done, each at the door for so many seconds."""
    cast.session.execute(
        text(
            "INSERT INTO stop (id, round_id, job_id, position, state, arrival, service_start, departure, arrived_at,"
            " ended_at) SELECT gen_random_uuid(), round_id, job_id, position + n, 'done', arrival, service_start,"
            " departure, now() - make_interval(days => :days, secs => took), now() - make_interval(days => :days)"
            " FROM (SELECT * FROM stop WHERE state = 'done' LIMIT 1) done,"
            " unnest(CAST(:took AS int[])) WITH ORDINALITY AS t (took, n)"
        ),
        {"took": seconds, "days": days_ago},
    )


def ridden(cast: Cast) -> None:
    _, round_, _ = story.collected(cast)
    story.receive(cast)
    story.finish(cast, round_["id"])
    # The one real stop took no time at all in a test.
    cast.session.execute(text("UPDATE stop SET arrived_at = NULL"))
    cast.session.execute(text("UPDATE job SET window_start = NULL, window_end = NULL"))


def test_nothing_is_learnt_from_nothing(cast: Cast) -> None:
    assert experience.service_seconds(cast.session) == {}
    assert experience.known_communes(cast.session) == {}


def test_a_commune_with_many_done_stops_has_its_own_time(cast: Cast) -> None:
    ridden(cast)
    many_done(cast, [900] * 180)
    expected = round((180 * 900 + 20 * DEFAULT_S) / 200)
    assert experience.service_seconds(cast.session) == {(commune(cast), PICKUP): expected}


def test_a_few_stops_hardly_count_and_forgotten_phones_not_at_all(cast: Cast) -> None:
    ridden(cast)
    many_done(cast, [900, 900, 90_000, 2])
    learnt = experience.service_seconds(cast.session)[commune(cast), PICKUP]
    assert learnt == round((2 * 900 + 20 * DEFAULT_S) / 22)


def test_waiting_for_the_window_is_no_service(cast: Cast) -> None:
    ridden(cast)
    many_done(cast, [1500] * 180)
    # He was there 1,500 s before he left, 900 of them before the window opened.
    cast.session.execute(text("UPDATE job SET window_start = now() - interval '1 day 600 seconds', window_end = now()"))
    learnt = experience.service_seconds(cast.session)[commune(cast), PICKUP]
    assert learnt == round((180 * 600 + 20 * DEFAULT_S) / 200)


def test_one_slow_door_does_not_slow_the_commune(cast: Cast) -> None:
    ridden(cast)
    many_done(cast, [DEFAULT_S] * 60 + [1700])
    assert experience.service_seconds(cast.session) == {(commune(cast), PICKUP): DEFAULT_S}


def test_old_stops_teach_nothing(cast: Cast) -> None:
    ridden(cast)
    many_done(cast, [900] * 50, days_ago=200)
    assert experience.service_seconds(cast.session) == {}


def test_a_courier_knows_the_commune_he_served_often(cast: Cast) -> None:
    ridden(cast)
    many_done(cast, [300] * 9)
    assert experience.known_communes(cast.session) == {}
    many_done_more = [300] * 3
    cast.session.execute(text("UPDATE stop SET position = position + 1000"))
    many_done(cast, many_done_more)
    known = {str(k): v for k, v in experience.known_communes(cast.session).items()}
    assert known == {cast.courier.person_id: frozenset({commune(cast)})}


def gathered(cast: Cast, day: int = 0) -> daywork.DayWork:
    plan = DayPlan(id=uuid4(), day=tomorrow(later=day).date(), half=Half.morning)
    return daywork.gather(cast.session, plan, set())


def near(metres_east: float) -> dict[str, float]:
    return {"lon": HOME[0] + metres_east / 104_000, "lat": HOME[1]}


def test_planning_takes_the_learnt_time_without_the_set_up(cast: Cast) -> None:
    ridden(cast)
    many_done(cast, [900] * 180)
    story.book(cast, **story.window_on(1))
    story.give_shift(cast, cast.courier, 1)
    (job,) = gathered(cast, 1).jobs
    assert job.service_s == 864 - daywork.SETUP_S
    (shift,) = gathered(cast, 1).shifts
    assert shift.communes == {commune(cast)} == {job.commune}


def test_neighbours_share_a_door_and_a_row_of_houses_does_not(cast: Cast) -> None:
    for metres in (0, 9, 18, 27, 300):
        story.book(cast, point=near(metres))
    jobs = sorted(gathered(cast).jobs, key=lambda job: job.lon)
    doors = [job.door for job in jobs]
    # The first stands for those within 15 m of it; the others of the row keep their own.
    assert doors[0] == doors[1] == (jobs[0].lon, jobs[0].lat)
    assert doors[2:] == [(job.lon, job.lat) for job in jobs[2:]]


def test_neighbours_pay_the_set_up_once(cast: Cast) -> None:
    for metres in (0, 6):
        story.book(cast, point=near(metres))
    stops = story.plan_and_publish(cast)["stops"]
    at_door = [(s["service_start"], s["departure"]) for s in cast.dispatcher.get(f"/rounds/{_round(cast)}")["stops"]]
    assert len(stops) == 2
    lengths = [_seconds(end) - _seconds(start) for start, end in at_door]
    assert lengths[0] - lengths[1] == daywork.SETUP_S
    assert at_door[0][1] == at_door[1][0]


def test_a_move_times_the_round_as_its_plan_did(cast: Cast) -> None:
    """Learnt times and shared doors hold there too: a move to where the stop is changes nothing."""
    ridden(cast)
    many_done(cast, [300] * 180)
    for metres in (0, 6, 400):
        story.book(cast, point=near(metres), **story.window_on(1))
    story.give_shift(cast, cast.courier, 1)
    story.plan(cast, day=1)
    (planned,) = cast.dispatcher.get(f"/rounds?day={tomorrow(later=1).date()}")["items"]
    planned = cast.dispatcher.get(f"/rounds/{planned['id']}")
    stop = planned["stops"][0]
    path = f"/rounds/{planned['id']}/stops/{stop['id']}/position"
    moved = cast.dispatcher.put(path, {"position": 1}, If_Match="*")
    for before, after in zip(planned["stops"], moved["stops"], strict=True):
        for moment in ("arrival", "service_start", "departure"):
            assert datetime.fromisoformat(before[moment]) == datetime.fromisoformat(after[moment])


def _round(cast: Cast) -> str:
    return str(cast.dispatcher.get(f"/rounds?day={tomorrow().date()}")["items"][0]["id"])


def _seconds(moment: str) -> int:
    hours, minutes, seconds = moment[11:19].split(":")
    return int(hours) * 3600 + int(minutes) * 60 + int(seconds)


def test_a_round_beside_its_plan(cast: Cast) -> None:
    _, round_, _ = story.collected(cast)
    story.receive(cast)
    story.finish(cast, round_["id"])
    cast.session.execute(
        text("UPDATE stop SET arrived_at = arrival + interval '7 minutes', ended_at = arrival + interval '12 minutes'")
    )
    compared = cast.dispatcher.get(f"/rounds/{round_['id']}/comparison")
    (stop,) = compared["stops"]
    assert (stop["late_seconds"], stop["service_seconds"], stop["ridden_position"]) == (420, 300, 1)
    assert (compared["median_late_seconds"], compared["out_of_order"]) == (420, 0)
    # He stood at the door; the planned line passes on the road before it.
    assert 0 <= stop["off_line_metres"] < 1000
    assert stop["from_door_metres"] == 0
    assert compared["ridden_seconds"] is not None


def test_a_round_that_nobody_has_ridden_compares_to_nothing(cast: Cast) -> None:
    story.book(cast)
    round_ = story.plan_and_publish(cast)
    compared = cast.dispatcher.get(f"/rounds/{round_['id']}/comparison")
    assert [stop["arrived_at"] for stop in compared["stops"]] == [None]
    assert compared["median_late_seconds"] is None


def test_no_such_round_to_compare(cast: Cast) -> None:
    refused(cast, cast.dispatcher, "GET", f"/rounds/{uuid4()}/comparison", None, 404, "not_found")
