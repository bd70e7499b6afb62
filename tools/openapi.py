"""Writes the API's document, from which the web interface takes its types.

python tools/openapi.py            writes ui/src/api/openapi.json
python tools/openapi.py --check    fails when that file is not what the code says
"""

import json
import sys
from pathlib import Path

from fastapi import FastAPI

from raptorflow.app import api_routers

DOCUMENT = Path(__file__).parents[1] / "ui/src/api/openapi.json"


def document() -> str:
    """The document as it stands in the file: sorted, so that a change shows as a small difference."""
    app = FastAPI(title="RaptorFlow", version="1")
    for router in api_routers():
        app.include_router(router)
    return json.dumps(app.openapi(), indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def main() -> int:
    """Write or check; 1 when the check fails."""
    if "--check" not in sys.argv:
        DOCUMENT.write_text(document())
        return 0
    if DOCUMENT.exists() and DOCUMENT.read_text() == document():
        return 0
    print("ui/src/api/openapi.json is not what the code says: `make api` writes it anew.", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
