"""What can be wrong with a place that skills are imported from."""

from raptorflow.base.errors import InvalidInput, TooLarge


class SourceInvalid(InvalidInput):
    """A source holds something else than it says, or is written in a way that is not known."""

    code = "source-invalid"
    default_hint = "`docs/how-to/import-skills.md` shows how each source is written."


class SourceUnknown(InvalidInput):
    """What was named is no place that skills can be imported from."""

    code = "source-unknown"
    default_hint = (
        "Name a folder, an export, a marketplace.json, `git+https://...`, `github:owner/name` "
        "or the address of a site (`https://skills.example`)."
    )


class SourceTooLarge(TooLarge):
    """A source holds more than is taken from one."""

    code = "source-too-large"
    default_hint = "Take a part of it: `#folder` behind a repository, or `--select NAME`."


class ImportTooLarge(TooLarge):
    """All sources together hold more than one import takes."""

    code = "import-too-large"
    default_hint = "Take a part of it: `#folder` behind a repository, or `--select NAME`."
