"""The one error that a skill raises to say what is wrong."""


class SkillError(Exception):
    """A problem that the person who asked can act on.

    Args:
        code: stable, kebab-case: `column-missing`.
        message: the fact, with names and numbers.
        hint: what to do about it.
    """

    def __init__(self, code: str, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint
