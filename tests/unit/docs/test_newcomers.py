"""What the documents tell a newcomer to type works in a clean clone."""

import re
from pathlib import Path

import pytest
from fastapi import FastAPI

from raptorflow.accounts.endpoints import router
from raptorflow.accounts.tokens.service import A_NEW_ONE
from raptorflow.samples.made_data import campaigns_csv
from raptorflow.stack.address import Address

REPOSITORY = Path(__file__).parents[3]
FIRST_PAGES = ("README.md", "docs/tutorials/first-question.md", "docs/tutorials/first-skill.md")
NAMED_FILES = re.compile(r'--file (\S+)|open\("([^"]+)"')


@pytest.mark.parametrize("page", FIRST_PAGES[:2])
def test_every_file_that_a_first_page_uses_is_there(page: str) -> None:
    named = ["".join(found) for found in NAMED_FILES.findall((REPOSITORY / page).read_text())]
    assert named
    for name in named:
        assert (REPOSITORY / name).is_file(), name


def test_the_sample_file_is_what_the_demo_makes_up() -> None:
    assert (REPOSITORY / "docs/samples/campaigns.csv").read_bytes() == campaigns_csv()


@pytest.mark.parametrize("page", FIRST_PAGES)
def test_the_command_is_written_as_it_can_be_typed(page: str) -> None:
    text = (REPOSITORY / page).read_text()
    reached = text.find("source .venv/bin/activate")
    for found in re.finditer(r"^ *raptorflow ", text, re.MULTILINE):
        assert 0 <= reached < found.start(), text[found.start() :][:60]


def test_a_model_of_one_s_own_does_not_stand_where_raptorflow_does() -> None:
    assert f":{Address().port}/v1" not in (REPOSITORY / "docs/how-to/connect-a-model.md").read_text()


def test_the_way_to_a_new_token_is_there() -> None:
    app = FastAPI()
    app.include_router(router)
    named = re.search(r"POST (/\S+)\.", A_NEW_ONE)
    assert named
    assert "post" in app.openapi()["paths"][named[1]]
