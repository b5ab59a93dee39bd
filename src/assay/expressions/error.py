"""What is wrong with an expression, and at which character."""

from __future__ import annotations

from assay.errors import InvalidInputError

_WIDTH = 100
_LEAD = 60


class ExpressionError(InvalidInputError):
    """An expression that means nothing, with the place in its text.

    Args:
        what: one sentence saying what is wrong.
        text: the whole expression.
        position: offset of the first wrong character, from 0; the length of the text for its end.
        length: how many characters are wrong, at least 1.
        where: the file and line the text comes from; None for a text that was typed.
        expected: what would have been right, such as the closest names.
        hint: what to do now.
    """

    def __init__(
        self,
        what: str,
        *,
        text: str,
        position: int,
        length: int = 1,
        where: str | None = None,
        expected: str | None = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(what, where=where, expected=expected, hint=hint)
        self.text = text
        self.position = min(max(position, 0), len(text))
        self.length = max(length, 1)

    @property
    def rendered(self) -> str:
        """The line of the text that is wrong, and below it carets under the wrong characters."""
        start = max(self.text.rfind("\n", 0, self.position) + 1, self.position - _LEAD)
        line = self.text[start : start + _WIDTH].partition("\n")[0]
        # A control character of a stranger's text must not move the cursor of a terminal.
        shown = "".join(character if character.isprintable() else " " for character in line)
        carets = min(self.length, max(len(line) - (self.position - start), 1))
        return f"  {shown}\n  {' ' * (self.position - start)}{'^' * carets}"

    def __str__(self) -> str:
        return f"{super().__str__()}\n{self.rendered}"

    def to_dict(self) -> dict[str, str | int | None]:
        """The error as one JSON object, with the text, the offset and the length of what is wrong."""
        return {**super().to_dict(), "text": self.text, "position": self.position, "length": self.length}
