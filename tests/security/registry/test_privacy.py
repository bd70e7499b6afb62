"""A private skill is its organisation's alone: to everybody else it does not exist."""

from collections.abc import Awaitable, Callable
from typing import Any

import httpx

from raptorflow.base.ids import new_id

API = "/api/v1/registry"
NewPerson = Callable[[], Awaitable[Any]]
SECRET = {"SKILL.md": "---\nname: moonbase\ndescription: Moonbase zanzibar plans.\n---\nZanzibar.\n"}


def doors(ref: str) -> list[tuple[str, str, dict[str, Any] | None]]:
    """Every way to a skill."""
    skill, latest = f"{API}/skills/{ref}", f"{API}/skills/{ref}/versions/latest"
    return [
        ("GET", skill, None),
        ("GET", f"{skill}/versions", None),
        ("GET", f"{latest}/page", None),
        ("GET", f"{latest}/consent", None),
        ("GET", f"{latest}/archive", None),
        ("GET", f"{latest}/files/SKILL.md", None),
        ("PUT", f"{API}/installations/{ref}", {"digest": f"sha256:{'0' * 64}"}),
        ("PUT", f"{API}/installations/{ref}", {}),
    ]


async def told(http: httpx.AsyncClient, ref: str) -> list[tuple[int, str, str]]:
    """What each door says about a skill, without its name."""
    answers = [(await http.request(method, url, json=body)) for method, url, body in doors(ref)]
    bodies = [answer.json() for answer in answers]
    return [
        (answer.status_code, body["code"], body["detail"].replace(ref, "X"))
        for answer, body in zip(answers, bodies, strict=True)
    ]


async def test_a_private_skill_and_none_at_all_look_the_same_to_others(new_person: NewPerson) -> None:
    owner, stranger = await new_person(), await new_person()
    await owner.publish("moonbase", SECRET)
    ref = f"{owner.namespace}/moonbase"
    answers = await told(stranger.http, ref)
    assert {status for status, _, _ in answers} == {404}
    assert answers == await told(stranger.http, f"{owner.namespace}/nothing-{new_id().hex}")
    for path in (
        "search?query=zanzibar",
        "search?query=zanz&prefix=true",
        "skills?limit=200",
        "installations",
    ):
        shown = (await stranger.http.get(f"{API}/{path}")).text
        assert "moonbase" not in shown.casefold(), path


async def test_its_own_organisation_has_all_of_it(new_person: NewPerson) -> None:
    owner = await new_person()
    await owner.publish("moonbase", SECRET)
    for method, url, body in doors(f"{owner.namespace}/moonbase"):
        answer = await owner.http.request(method, url, json=body)
        unread = body == {"digest": f"sha256:{'0' * 64}"}
        assert answer.status_code == (409 if unread else 200), f"{method} {url}: {answer.text}"
    typed = await owner.http.get(f"{API}/search", params={"query": "zanz", "prefix": True})
    assert [(hit["name"], hit["words"]) for hit in typed.json()["hits"]] == [("moonbase", 1.0)]


async def test_a_public_page_names_no_member_and_no_installation_of_others(new_person: NewPerson) -> None:
    owner, stranger = await new_person(), await new_person()
    await owner.publish("moonbase", SECRET, "public")
    ref = f"{owner.namespace}/moonbase"
    assert (await owner.http.put(f"{API}/installations/{ref}", json={})).status_code == 200
    page = f"{API}/skills/{ref}/versions/latest/page"
    assert (await owner.http.get(page)).json()["published_by"] == "Ada Lovelace"
    answer = await stranger.http.get(page)
    assert answer.status_code == 200
    assert "Ada Lovelace" not in answer.text
    assert (answer.json()["published_by"], answer.json()["installed"]) == (None, None)
    consent = (await stranger.http.get(f"{API}/skills/{ref}/versions/latest/consent")).json()
    assert (consent["installed_version"], consent["granted"]) == (None, None)
    listed = (await stranger.http.get(f"{API}/skills", params={"limit": 200})).json()["items"]
    (summary,) = [item for item in listed if item["ref"] == ref]
    assert (summary["installed"], summary["installed_version"]) == (False, None)


async def test_pages_and_consents_are_for_those_who_are_signed_in(new_person: NewPerson) -> None:
    owner = await new_person()
    await owner.publish("moonbase", SECRET, "public")
    owner.http.headers.pop("Authorization")
    for door in ("page", "consent"):
        url = f"{API}/skills/{owner.namespace}/moonbase/versions/latest/{door}"
        assert (await owner.http.get(url)).status_code == 401
