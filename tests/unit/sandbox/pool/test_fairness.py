from hypothesis import given
from hypothesis import strategies as st

from raptorflow.sandbox.pool.fairness import MOST_AHEAD, FairLine

TENANTS = "abcd"
steps = st.lists(
    st.one_of(
        st.tuples(st.just("join"), st.sampled_from(TENANTS)),
        st.tuples(st.just("done"), st.sampled_from(TENANTS)),
        st.tuples(st.just("quit"), st.sampled_from(TENANTS)),
    ),
    max_size=200,
)


@given(places=st.integers(1, 5), tenant_places=st.integers(1, 5), steps=steps)
def test_caps_hold_and_nobody_waits_while_a_place_is_free_for_them(
    places: int, tenant_places: int, steps: list[tuple[str, str]]
) -> None:
    line = FairLine[tuple[str, int]](places, tenant_places, lambda _: 1.0)
    running: list[str] = []
    waiting: list[tuple[str, int]] = []
    for number, (step, tenant) in enumerate(steps):
        if step == "join":
            line.join(tenant, (tenant, number))
            waiting.append((tenant, number))
        elif step == "done" and tenant in running:
            running.remove(tenant)
            line.done(tenant)
        elif step == "quit" and (mine := [item for item in waiting if item[0] == tenant]):
            line.quit(tenant, mine[0])
            waiting.remove(mine[0])
        while item := line.next():
            # Within a tenant, first come is first served.
            assert item == min(one for one in waiting if one[0] == item[0])
            waiting.remove(item)
            running.append(item[0])
        assert (line.running, line.waiting) == (len(running), len(waiting))
        assert len(running) <= places
        assert all(running.count(tenant) <= tenant_places for tenant in TENANTS)
        if len(running) < places:
            assert all(running.count(tenant) == tenant_places for tenant, _ in waiting)


@given(weights=st.lists(st.integers(1, 4), min_size=2, max_size=4), rounds=st.integers(40, 120))
def test_with_one_place_tenants_are_served_by_weight(weights: list[int], rounds: int) -> None:
    by_tenant = dict(zip(TENANTS, weights, strict=False))
    line = FairLine[str](1, 1, lambda tenant: by_tenant[tenant])
    for tenant in by_tenant:
        for _ in range(rounds):
            line.join(tenant, tenant)
    served: list[str] = []
    for _ in range(rounds):
        tenant = line.next()
        assert tenant is not None
        served.append(tenant)
        line.done(tenant)
    for tenant, weight in by_tenant.items():
        assert abs(served.count(tenant) - rounds * weight / sum(weights)) <= len(weights)


def test_idleness_saves_nothing_up() -> None:
    line = FairLine[str](1, 1, lambda _: 1.0)
    line.join("late", "late")
    assert line.next() == "late"
    line.done("late")
    for _ in range(50):
        line.join("busy", "busy")
        assert line.next() == "busy"
        line.done("busy")
    for _ in range(10):
        line.join("busy", "busy")
        line.join("late", "late")
    served: list[str] = []
    for _ in range(10):
        tenant = line.next() or ""
        served.append(tenant)
        line.done(tenant)
    assert served.count("late") in range(4, 7)


def test_weights_hold_against_who_asks_again_only_when_its_turn_is_over() -> None:
    weights = {"light": 1.0, "heavy": 4.0}
    line = FairLine[str](1, 1, lambda tenant: weights[tenant])
    for tenant in ["heavy"] * 5 + ["light"]:
        line.join(tenant, tenant)
    served: list[str] = []
    running = line.next()
    while len(served) < 1000:
        assert running
        served.append(running)
        line.done(running)
        next_one = line.next()
        line.join(running, running)
        running = next_one or line.next()
    assert abs(served.count("light") - 200) <= 2


def test_when_nobody_wants_anything_all_are_even() -> None:
    line = FairLine[str](1, 1, lambda _: 1.0)
    for _ in range(50):
        line.join("busy", "busy")
        line.next()
        line.done("busy")
    served: list[str] = []
    for tenant in ("new", "busy", "new", "busy"):
        line.join(tenant, tenant)
    while tenant := line.next():
        served.append(tenant)
        line.done(tenant)
    assert served == ["new", "busy", "new", "busy"]


def test_tenants_that_want_nothing_are_not_kept_for_ever() -> None:
    line = FairLine[str](2, 1, lambda _: 1.0)
    line.join("always", "always")
    assert line.next() == "always"
    for number in range(3 * MOST_AHEAD):
        line.join(f"t{number}", f"t{number}")
        line.next()
        line.done(f"t{number}")
        assert line.kept <= MOST_AHEAD + 2
