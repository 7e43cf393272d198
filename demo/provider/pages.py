"""The page for requests that are not answered by redirect."""

from __future__ import annotations


class PageError(Exception):
    """Something the person should see here, because there is nobody safe to redirect to."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence
