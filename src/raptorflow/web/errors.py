"""What can be wrong with the web interface."""

from raptorflow.base.errors import PartUnavailable


class InterfaceNotBuilt(PartUnavailable):
    """There is no build of the interface; everything else works."""

    code = "interface-not-built"
    default_hint = "Run `make ui` in the repository; the API and the command line work without it."
