"""What is indexed of a skill."""

from dataclasses import dataclass

EMBEDDED_CHARACTERS = 1500


@dataclass(frozen=True)
class SearchText:
    """What is indexed of a skill: its name and tags, its description, its instructions."""

    name: str
    description: str
    body: str

    def embedded(self) -> str:
        """The text whose meaning is compared: name and description say what a skill is for."""
        return f"{self.name}. {self.description}\n{self.body}"[:EMBEDDED_CHARACTERS]
