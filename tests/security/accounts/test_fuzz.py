"""Whatever is sent to the room's API, the answer is meant: never a failure of the server's own."""

from typing import Any

import httpx
import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from raptorflow.accounts.endpoints import router

API = "/api/v1/accounts"
EXAMPLES = 12
SERVER_ERROR = 500
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.dictionaries(st.text(), inner)
)


def operations() -> list[Any]:
    """The room's operations, from its own OpenAPI document."""
    app = FastAPI()
    app.include_router(router)
    document: Any = schemathesis.openapi.from_dict(app.openapi())
    return [found.ok() for found in document.get_all_operations()]


def requests_for(operation: Any) -> list[tuple[str, Any]]:
    """Paths and bodies: some that fit the document, and some that do not."""
    made: list[tuple[str, Any]] = []

    @settings(
        max_examples=EXAMPLES,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
        deadline=None,
        derandomize=True,
    )
    @given(operation.as_strategy(), ANYTHING)
    def collect(case: Any, anything: Any) -> None:
        has_body = operation.definition.raw.get("requestBody") is not None
        made.append((case.formatted_path, case.body if has_body else None))
        made.append((case.formatted_path, anything))

    collect()
    return made


async def test_no_request_makes_the_server_fail(client: httpx.AsyncClient, new_person: Any) -> None:
    tried = 0
    for operation in operations():
        person = await new_person()
        headers = {"Authorization": f"Bearer {person.pair.access_token}"}
        for path, body in requests_for(operation):
            answer = await client.request(operation.method.upper(), path, json=body, headers=headers)
            assert answer.status_code < SERVER_ERROR, f"{operation.method} {path} {body!r}: {answer.text}"
            if answer.is_error:
                assert answer.headers["content-type"] == "application/problem+json"
            tried += 1
    assert tried > 20 * EXAMPLES
