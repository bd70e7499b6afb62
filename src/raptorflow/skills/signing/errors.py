"""Why a signature does not hold."""

from collections.abc import Sequence

from raptorflow.base.errors import InvalidInput


class KeyUnusable(InvalidInput):
    """A file holds no key that can be used here."""

    code = "key-unusable"
    default_hint = "Use an Ed25519 key in a PEM file; `raptorflow skill sign --new-key` makes one."


class SignatureMalformed(InvalidInput):
    """What was given as a signature is none, or says two things at once."""

    code = "signature-malformed"
    default_hint = "Sign the skill again."


class SignatureWrong(InvalidInput):
    """A signature that no given key has made over this content."""

    code = "signature-wrong"
    default_hint = (
        "Take the signature and the key from who published the skill; do not use it until they fit."
    )


class SignerUnknown(InvalidInput):
    """A signature by a key or certificate that was not said to be trusted."""

    code = "signer-unknown"
    default_hint = "Name the signer's public key with `--key`, or the root certificate with `--root`."


class TreeDrifted(InvalidInput):
    """The files are not those that were signed; each one is named."""

    code = "tree-drifted"
    default_hint = "Get the skill anew from its publisher, or ask them to sign what changed."

    def __init__(self, drifted: Sequence[str]) -> None:
        shown = "; ".join(drifted[:20]) + (f"; and {len(drifted) - 20} more" if len(drifted) > 20 else "")
        super().__init__(f"The skill is not what was signed: {shown}.", details={"files": list(drifted)})
