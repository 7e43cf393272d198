"""`make new`: what it leaves stands on its own feet."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from tools import new_project

from .harness import ROOT

ALL_BUT_DEMO = set(new_project.PARTS) - {"demo"}

MakeNew = Callable[..., Path]


@pytest.fixture
def make_new(tmp_path: Path) -> MakeNew:
    def make(without: set[str], name: str = "Team diary") -> Path:
        folder = tmp_path / "diary"
        command = [sys.executable, "tools/new_project.py", "--name", name, "--dir", str(folder)]
        command += ["--without", " ".join(sorted(without))]
        subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
        return folder

    return make


def pytest_in(folder: Path, *arguments: str) -> str:
    """What pytest says in a project; it has to pass."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments]
    result = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def blocks(document: str, language: str) -> list[str]:
    """The code blocks of a document, without their indentation in a list."""
    found = re.findall(rf"^( *)```{language}\n(.*?)^ *```$", document, re.M | re.S)
    return [re.sub(rf"^{indent}", "", block, flags=re.M) for indent, block in found]


def test_a_project_without_the_parts_has_tests_and_documents_that_miss_nothing(
    make_new: MakeNew,
) -> None:
    folder = make_new(ALL_BUT_DEMO)

    pytest_in(folder, "--collect-only")
    pytest_in(folder, "tests/test_docs.py")


def test_a_project_without_the_demo_keeps_the_tests_that_need_no_provider(
    make_new: MakeNew,
) -> None:
    folder = make_new(set(new_project.PARTS))

    assert not (folder / "demo").exists()
    assert (folder / "tests/test_settings.py").exists()
    assert not (folder / "tests/test_sign_in.py").exists()
    assert "provider_process" not in pytest_in(folder, "--setup-plan")
    pytest_in(folder, "tests/test_settings.py", "tests/test_docs.py")


@pytest.mark.parametrize("part", [*new_project.PARTS, None])
def test_each_part_leaves_no_trace(make_new: MakeNew, part: str | None) -> None:
    folder = make_new({part} if part else set())

    tools = tomllib.loads((folder / "pyproject.toml").read_text())["tool"]
    targets = re.findall(r"^\.PHONY: (.+)$", (folder / "Makefile").read_text(), re.M)
    optional = re.findall(r'^    "(\w+)",$', (folder / "app.py").read_text(), re.M)
    allowed = re.findall(r"^!(\w+)$", (folder / ".dockerignore").read_text(), re.M)
    present = {path.name for path in folder.iterdir()}
    assert set(tools["mypy"]["files"]) <= present
    assert {*optional, *allowed} <= present
    assert not {"new", part} & {*targets, *present, *optional}
    assert "tools" not in present
    if part:
        assert not list((folder / "tests").glob(f"test_{part}.py"))
        assert not list((folder / "tests").glob(f"test_{part}_*.py"))
        assert not list((folder / "docs").glob(f"{part}.*"))


def test_without_the_demo_no_image_and_no_service_is_left_of_it(make_new: MakeNew) -> None:
    folder = make_new({"demo"})

    for name in ("Dockerfile", "compose.yaml", ".ci/test-image", "Makefile", ".dockerignore"):
        assert not re.search(r"\bdemo\b", (folder / name).read_text()), name
    assert "\n\nnetworks:" in (folder / "compose.yaml").read_text()
    assert not list((folder / ".ci").rglob("*demo*"))
    assert "AS production" in (folder / "Dockerfile").read_text()


def test_the_name_is_what_people_and_images_see(make_new: MakeNew) -> None:
    folder = make_new(set())

    assert 'app_name = "Team diary"' in (folder / "templates/base.html").read_text()
    assert "name: team-diary\n" in (folder / "compose.yaml").read_text()
    assert (folder / "README.md").read_text().startswith("# Team diary\n")
    text = "".join(
        path.read_text(errors="ignore")
        for path in folder.rglob("*")
        if path.is_file() and "tests" not in path.parts
    )
    assert "Daybook" not in text
    assert "flask-oidc-app" not in text


@pytest.mark.parametrize(
    ("name", "folder", "slug"),
    [("Team diary", "x", "team-diary"), ("日記", "my_diary", "my-diary"), ("日記", "日記", "app")],
)
def test_a_slug_has_the_letters_that_images_may_have(name: str, folder: str, slug: str) -> None:
    assert new_project.slug_of(name, Path(folder)) == slug


def test_settings_secrets_and_sessions_are_not_copied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "source"
    left = (".env", ".env.production", "deploy/secrets/key", "instance/x", ".git/x", "client.pem")
    for name in (*left, ".env.example", "deploy/make-secrets"):
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_text("x")
    monkeypatch.setattr(new_project, "ROOT", source)

    new_project.make("Team diary", tmp_path / "diary", set())

    copied = {str(path.relative_to(tmp_path / "diary")) for path in (tmp_path / "diary").rglob("*")}
    assert not copied.intersection(left)
    assert {".env.example", "deploy/make-secrets"} <= copied


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("", "../x", []), "NAME is missing"),
        (('a"b', "../x", []), "NAME is missing or has quotes"),
        (("a", "", []), "DIR is missing"),
        (("a", str(ROOT), []), "exists already"),
        (("a", str(ROOT / "x"), []), "inside this project"),
        (("a", "/nowhere/x", ["auth"]), "WITHOUT has auth"),
    ],
    ids=["no name", "a quote", "no folder", "a folder that exists", "inside", "no such part"],
)
def test_a_wrong_command_line_says_what_to_write(
    arguments: tuple[str, str, list[str]], words: str
) -> None:
    complaint = new_project.complaint_about(*arguments)

    assert complaint
    assert words in complaint
    assert "Write: " in complaint


def test_adding_a_page_works_as_the_document_says(make_new: MakeNew) -> None:
    folder = make_new(ALL_BUT_DEMO)
    document = (ROOT / "docs/add-a-page.md").read_text()
    view, test = blocks(document, "python")
    (template,) = blocks(document, "html")
    link = re.search(r"`(\(\"/invoices\".*?\),)`", document)
    assert link

    with (folder / "pages/views.py").open("a") as views:
        views.write(f"\n\n{view}")
    (folder / "templates/invoices.html").write_text(template)
    base = folder / "templates/base.html"
    home = '("/", _("Home"), true),'
    base.write_text(base.read_text().replace(home, f"{home}\n{link[1]}", 1))
    shown = """
def test_the_invoices_page_is_shown(person: Person, api: Api) -> None:
    person.signs_in()
    assert person.sees("/invoices").status_code == 502  # the sample API has none
    assert '<a href="/invoices">Invoices</a>' in person.sees("/").text
    assert '<a href="/invoices">請求書</a>' in person.sees(
        "/", headers={"Accept-Language": "ja"}
    ).text
"""
    (folder / "tests/test_invoices.py").write_text(
        f"from .harness import Api, Person\n\n{test}{shown}"
    )

    translate(
        folder,
        {"Invoices": "請求書", "Your invoices": "あなたの請求書", "You have no invoices.": "なし"},
    )
    assert "2 passed" in pytest_in(folder, "tests/test_invoices.py")
    pytest_in(folder, "tests/test_translations.py")


def translate(folder: Path, texts: dict[str, str]) -> None:
    """Do as the document says: `make translations`, fill in what is missing, once more."""
    command = [sys.executable, "-m", "languages"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    path = folder / "languages/translations/ja/LC_MESSAGES/messages.po"
    written = path.read_text()
    for text, translated in texts.items():
        empty = f'msgid "{text}"\nmsgstr ""\n'
        assert empty in written
        written = written.replace(empty, f'msgid "{text}"\nmsgstr "{translated}"\n')
    path.write_text(written)
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
