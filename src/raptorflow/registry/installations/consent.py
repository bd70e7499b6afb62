"""What an organisation has to agree to before it uses a version. Pure."""

from dataclasses import dataclass

from raptorflow.skills.capabilities import Capabilities


@dataclass(frozen=True)
class Terms:
    """What a version asks for, against what is granted.

    Attributes:
        added: what it asks for beyond the grant, in plain words.
        removed: what is granted and it no longer needs, in plain words.
        needs_consent: whether somebody has to agree.
    """

    added: list[str]
    removed: list[str]
    needs_consent: bool


def terms_of(declared: Capabilities, granted: Capabilities | None) -> Terms:
    """The terms of a version.

    An upgrade that stays within the grant asks for nothing new. Without a grant nobody has agreed to
    anything yet, so a first installation needs consent, also of a skill that reaches nothing: its
    instructions reach the model all the same.

    Args:
        declared: what the version declares.
        granted: what is granted now; None when the skill is not installed.
    """
    before = granted or Capabilities.none()
    added = declared.words_beyond(before)
    removed = granted.words_beyond(declared) if granted else []
    return Terms(added, removed, granted is None or bool(added))
