"""`python -m raptorflow.stack.migrate`: migrates the database of RAPTORFLOW_DATABASE__OWNER_URL."""

import os

from raptorflow.base.errors import RaptorFlowError
from raptorflow.core.migrate import upgrade
from raptorflow.core.programs import end_with
from raptorflow.stack.schema import OWNER_URL_VARIABLE

if __name__ == "__main__":
    try:
        print(f"The schema is at {upgrade(os.environ[OWNER_URL_VARIABLE])}.")
    except RaptorFlowError as error:
        end_with(error)
