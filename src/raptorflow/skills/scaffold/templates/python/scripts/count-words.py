"""Counts the words of a Markdown text."""

# /// script
# requires-python = ">=3.11"
# dependencies = ["markdown-it-py>=3,<5"]
# ///

from typing import Any

from markdown_it import MarkdownIt

from raptorflow_skill import action

WORDS_A_MINUTE = 230


def main(given: dict[str, Any]) -> dict[str, Any]:
    """Answer with the number of words in `text`, and the minutes it takes to read them."""
    words = sum(len(text.split()) for text in texts_of(given["text"]))
    minutes = round(words / WORDS_A_MINUTE, 1)
    return {"answer": f"The text has {words} words.", "words": words, "minutes": minutes}


def texts_of(markdown: str) -> list[str]:
    """What a reader sees, piece by piece."""
    inlines = [token for token in MarkdownIt().parse(markdown) if token.type == "inline"]
    return [child.content for inline in inlines for child in inline.children or [] if child.type == "text"]


if __name__ == "__main__":
    action.run(main)
