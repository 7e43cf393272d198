"""A project of one's own from this one: renamed, without the parts that are not wanted.

    make new NAME='Team diary' DIR=../diary WITHOUT='flow bench'

Tests go where what they test goes. The demo is the tests' provider: without it go all tests that
need one.
"""

from __future__ import annotations

import argparse
import ast
import re
import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# Each part with its tests; whatever imports it or names one of its files goes too.
PARTS = {
    "demo": ("test_demo*.py",),
    "flow": ("test_flow*.py",),
    "doctor": ("test_doctor*.py",),
    "operations": ("test_logs*.py", "test_metrics*.py", "test_operations*.py", "test_traces*.py"),
    "bench": ("test_bench*.py",),
    "examples": ("test_examples*.py",),
}
# The benchmarks run against the demo.
GOES_WITH = {"demo": ("bench",)}
# What is about this template, and not about an app made from it.
TEMPLATE_ONLY = (
    "tools",
    "README.ja.md",
    *(f"docs/{name}{ending}.png" for name in ("home", "flow") for ending in ("", "-dark")),
    "tests/test_new_project.py",
    "tests/test_security_table.py",
)
NOT_COPIED = shutil.ignore_patterns(
    ".git", ".venv", "__pycache__", ".*_cache", ".hypothesis", "htmlcov", ".coverage", "instance",
    "test-output", ".env", ".env.[!e]*", "secrets", "*.pem", "*.key",
)  # fmt: skip
OLD_NAME, OLD_SLUG = "Daybook", "flask-oidc-app"

README = """# {name}

A Flask web app that signs people in with Auth0, or any OpenID provider, and calls a protected API.

```bash
cp .env.example .env      # fill in the four required values, and the API's
make run                  # http://localhost:3000
make test
```

How it works, and how to add a page or an API: [docs](docs). `make` alone lists every command.
"""
CHANGELOG = "# Changelog\n\n## Unreleased\n\n### Added\n\n- The project.\n"


def main() -> None:
    """Read the command line, make the project, say what to do next."""
    parser = argparse.ArgumentParser(prog="make new", description=__doc__)
    parser.add_argument("--name", required=True, help="as people read it: 'Team diary'")
    parser.add_argument("--dir", required=True, type=Path, help="a folder that does not exist yet")
    parser.add_argument("--without", default="", help=f"any of: {' '.join(PARTS)}")
    options = parser.parse_args()
    if complaint := complaint_about(options.name, str(options.dir), options.without.split()):
        sys.exit(complaint)
    make(options.name, options.dir.resolve(), set(options.without.split()))
    print(f"{options.name} is in {options.dir}. Next: cd {options.dir} && make test")


def complaint_about(name: str, folder: str, without: list[str]) -> str | None:
    """What is wrong with the command line, and what to write."""
    if not name or not name.isprintable() or re.search(r"[\"'\\{}<>&%`$]", name):
        return "NAME is missing or has quotes, brackets or the like. Write: NAME='Team diary'"
    if folder in ("", ".") or Path(folder).exists():
        return "DIR is missing or exists already. Write: DIR=../diary"
    if Path(folder).resolve().is_relative_to(ROOT):
        return "DIR is inside this project. Write: DIR=../diary"
    if unknown := sorted(set(without) - set(PARTS)):
        return f"WITHOUT has {', '.join(unknown)}. Write: WITHOUT='{' '.join(PARTS)}', or some"
    return None


def make(name: str, folder: Path, without: set[str]) -> None:
    """Copy everything, then take out what is not wanted and rename the rest."""
    without |= {each for part in without for each in GOES_WITH.get(part, ())}
    shutil.copytree(ROOT, folder, ignore=NOT_COPIED)
    for path in TEMPLATE_ONLY:
        remove(folder / path)
    take_out_targets(folder / "Makefile", {"new", "screenshots", *without})
    take_out_words(folder, {"tools"})
    for part in sorted(without):
        remove(folder / part)
        take_out_words(folder, {part})
        take_out_paragraphs(folder / "docs", part)
        for about_it in [*tests_of(part, folder), *(folder / "docs").glob(f"{part}.*")]:
            remove(about_it)
    if "demo" in without:
        take_out_demo(folder)
    rename(folder, name, slug_of(name, folder))
    (folder / "README.md").write_text(README.format(name=name))
    (folder / "CHANGELOG.md").write_text(CHANGELOG)


def slug_of(name: str, folder: Path) -> str:
    """The name as images and clusters spell it; the folder's where it has no such letters."""
    slugs = (re.sub(r"[^a-z0-9]+", "-", each.lower()).strip("-") for each in (name, folder.name))
    return next(filter(None, slugs), "app")


def remove(path: Path) -> None:
    """Remove a file or folder, if it is there."""
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def edit(path: Path, pattern: str, replacement: str = "") -> None:
    """Replace what matches in a file, if it is there."""
    if path.exists():
        path.write_text(re.sub(pattern, replacement, path.read_text(), flags=re.M))


def take_out_words(folder: Path, parts: set[str]) -> None:
    """Take parts out of the lists that name every part."""
    for part in parts:
        edit(folder / "app.py", rf'^ +"{part}",\n')
        edit(folder / "pyproject.toml", rf', "{part}"')
        edit(folder / "pyproject.toml", rf'^"{part}/\*\*" = \[\n(?: .*\n)*\]\n')
        edit(folder / ".dockerignore", rf"^!{part}\n")
    edit(folder / "app.py", r"= \(\n\)", "= ()")


def take_out_targets(makefile: Path, targets: set[str]) -> None:
    """A target is a paragraph that begins with its .PHONY line."""
    for target in targets:
        edit(makefile, rf"^\.PHONY: {target}\n(?:.+\n)+\n")


def take_out_paragraphs(docs: Path, part: str) -> None:
    """What the documents say of a part stands in paragraphs of its own."""
    for document in docs.glob("*.md"):
        paragraphs = document.read_text().split("\n\n")
        speaks = re.compile(rf"make {part}\b|-m {part}\b|\]\(\.\./{part}\b")
        document.write_text("\n\n".join(each for each in paragraphs if not speaks.search(each)))


def take_out_demo(folder: Path) -> None:
    """The demo's image, its service, and the tests that need a provider."""
    edit(folder / "Dockerfile", r"^# The demo, everything.*\n")
    edit(folder / "Dockerfile", r"; the demo is for the stage of that name only")
    edit(folder / "Dockerfile", r"^# App, OpenID provider and(?:.+\n)+\n\n")
    edit(folder / "Dockerfile", r"rm -rf /app/demo ", "rm ")
    edit(folder / "compose.yaml", r"^#\n# The demo instead(?:.+\n)+")
    edit(folder / "compose.yaml", r"^  demo:\n(?:.+\n)+\n|^  demo-data:\n")
    edit(folder / "Makefile", r"(?<=Build the image)s(.*) and the demo in Chromium$", r"\1")
    edit(folder / ".ci/test-image", r" Then the demo's image, .*\n# screenshots are left .*$")
    edit(folder / ".ci/test-image", r" \(and for the demo .* behind it\)")
    edit(folder / ".ci/test-image", r"^demo_port=.*\n|-e demo ")
    edit(folder / ".ci/test-image", r"^build demo(?:.+\n)+\n")
    remove(folder / ".ci/image/demo_in_chromium.py")
    edit(folder / "CONTRIBUTING.md", r"^.*(?:make demo|profile demo).*\n")
    fixtures = demo_fixtures(ast.parse((folder / "tests/conftest.py").read_text()))
    for test in (folder / "tests").glob("test_*.py"):
        if fixtures & names_used(ast.parse(test.read_text())):
            remove(test)


def tests_of(part: str, folder: Path) -> list[Path]:
    """The tests of a part, and those that use it."""
    tests = folder / "tests"
    uses = re.compile(rf"^ *(?:from|import) {part}\b|[\"'/]{part}/|\"-m\", \"{part}\b", re.M)
    using = [test for test in tests.glob("test_*.py") if uses.search(test.read_text())]
    return [*using, *(test for names in PARTS[part] for test in tests.glob(names))]


def demo_fixtures(conftest: ast.Module) -> set[str]:
    """The fixtures that start the demo's programs, by way of others too, and those classes."""
    takes = {
        node.name: {arg.arg for arg in node.args.args}
        for node in conftest.body
        if isinstance(node, ast.FunctionDef) and node.decorator_list
    }
    found = {"provider_process", "api_process", "contacts_api_process"}
    while more := {name for name, args in takes.items() if args & found} - found:
        found |= more
    return found | {"Provider", "Api", "demo"}


def names_used(test: ast.Module) -> set[str]:
    """The fixtures that a test file asks for by argument or by name, and what it imports."""
    names: set[str] = set()
    for node in ast.walk(test):
        if isinstance(node, ast.FunctionDef):
            names |= {arg.arg for arg in node.args.args}
        elif isinstance(node, ast.Call) and "fixture" in ast.unparse(node.func):
            names |= {str(arg.value) for arg in node.args if isinstance(arg, ast.Constant)}
        elif isinstance(node, ast.ImportFrom):
            names |= {alias.name for alias in node.names} | {(node.module or "").split(".")[0]}
    return names


def rename(folder: Path, name: str, slug: str) -> None:
    """Put the new name into every text file."""
    for path in folder.rglob("*"):
        if not path.is_file() or path.name == "LICENSE":
            continue
        try:
            text = path.read_text()
        except UnicodeDecodeError:
            continue
        renamed = text.replace(OLD_NAME, name).replace(OLD_SLUG, slug)
        if renamed != text:
            path.write_text(renamed)


if __name__ == "__main__":
    main()
