"""What the doctor said of an app."""

from __future__ import annotations

import json

from flask import Flask


class Examined:
    """The findings of `flask doctor --json`, and its exit code."""

    def __init__(self, app: Flask, *options: str) -> None:
        result = app.test_cli_runner().invoke(args=["doctor", "--json", *options])
        assert result.exit_code in (0, 1), result.output
        said = json.loads(result.stdout)
        self.exit_code, self.findings = result.exit_code, said["findings"]
        assert said["ok"] is (self.exit_code == 0)

    def of(self, subject: str) -> str:
        """The findings on a subject, verdicts first."""
        found = [each for each in self.findings if each["subject"] == subject]
        return "\n".join(f"{each['verdict']} {each['text']} {each['change']}" for each in found)

    def wrong(self) -> set[str]:
        """The subjects on which something has to be changed."""
        return {each["subject"] for each in self.findings if each["verdict"] == "wrong"}
