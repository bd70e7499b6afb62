"""The headers of the interface's answers."""

FOREVER = "public, max-age=31536000, immutable"
"""For files whose name holds a digest of their content."""


def page_headers(nonce: str) -> dict[str, str]:
    """What the page may do: run the scripts of its build, talk to its own server, and nothing else.

    `strict-dynamic` lets a script of ours load its other parts, and no address be a source of scripts.
    Pictures may be `blob:` (a file that is about to be uploaded); frames, plugins and forms elsewhere are not
    for us (https://www.w3.org/TR/CSP3/).
    """
    return {
        "Content-Security-Policy": "; ".join(
            (
                "default-src 'none'",
                f"script-src 'nonce-{nonce}' 'strict-dynamic'",
                f"style-src 'self' 'nonce-{nonce}'",
                "img-src 'self' blob:",
                "font-src 'self'",
                "connect-src 'self'",
                "manifest-src 'self'",
                "form-action 'self'",
                "base-uri 'none'",
                "frame-ancestors 'none'",
                "require-trusted-types-for 'script'",
            )
        ),
        # A sign-in link has its token in the address.
        "Referrer-Policy": "same-origin",
        "X-Content-Type-Options": "nosniff",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=()",
        "Cache-Control": "no-cache",
    }
