"""A page of Markdown as one HTML file: no script, nothing from outside, light and dark."""

from html import escape
from importlib.resources import files

from markdown_it import MarkdownIt

_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{title}</title>
<style>
{style}</style>
<main>
{body}</main>
</html>
"""


def page(markdown: str, title: str) -> str:
    """The page. HTML in the Markdown is shown as text, and links to scripts are left out."""
    reader = MarkdownIt("commonmark", {"html": False}).enable("table").disable("image")
    style = files("raptorflow.skills.cards").joinpath("page.css").read_text()
    return _PAGE.format(title=escape(title), style=style, body=reader.render(markdown))
