"""`make translations`: take the texts of code and templates into the .po files, compile those.

The .mo files are kept beside them, so that nothing has to be built before the app can start.
"""

from __future__ import annotations

import io
from datetime import UTC, datetime
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from .choice import LANGUAGES, SOURCE

ROOT = Path(__file__).resolve().parent.parent
# The folders whose texts are translated here; an optional package has its own translations.
APP = ("auth", "languages", "pages", "templates")
METHODS = [("**.py", "python"), ("**.html", "jinja2")]
# As app.py sets them, or the texts would differ from the templates'; and no silence on errors.
JINJA = {"trim_blocks": "1", "lstrip_blocks": "1", "newstyle_gettext": "1", "silent": "0"}


def packages() -> list[str]:
    """Return the names of the folders that have translations."""
    return sorted(path.parent.name for path in ROOT.glob("*/translations"))


def texts_of(package: str) -> Catalog:
    """Return the texts that a package translates, without translations."""
    catalog = Catalog()
    for folder in APP if package == "languages" else (package,):
        found = extract_from_dir(ROOT / folder, METHODS, {"**.html": JINJA})
        for file, _, message, comments, context in found:
            catalog.add(
                message,
                locations=[(f"{folder}/{file}", 0)],
                auto_comments=comments,
                context=context,
            )
    return catalog


def path_of(package: str, tag: str) -> Path:
    """Return where the translations of a package into a language are."""
    return ROOT / package / "translations" / tag / "LC_MESSAGES" / "messages.po"


def catalog_of(package: str, tag: str) -> Catalog:
    """Return the translations as they are; without any where there is no file yet."""
    path = path_of(package, tag)
    if not path.exists():
        return Catalog(locale=tag)
    with path.open("rb") as file:
        return read_po(file, locale=tag)


def update(package: str, tag: str) -> int:
    """Take in new texts, drop those that are no more; return how many have no translation yet."""
    catalog = catalog_of(package, tag)
    catalog.update(texts_of(package), no_fuzzy_matching=True)
    # Nothing that would change with each run.
    catalog.creation_date = catalog.revision_date = datetime(2000, 1, 1, tzinfo=UTC)
    path = path_of(package, tag)
    path.parent.mkdir(parents=True, exist_ok=True)
    text = io.BytesIO()
    write_po(text, catalog, width=100, omit_header=True, ignore_obsolete=True, include_lineno=False)
    header = (
        'msgid ""\nmsgstr ""\n'
        f'"Language: {tag}\\n"\n'
        '"Content-Type: text/plain; charset=utf-8\\n"\n'
        f'"Plural-Forms: {catalog.plural_forms}\\n"\n\n'
    )
    path.write_text(header + text.getvalue().decode())
    with path.with_suffix(".mo").open("wb") as file:
        write_mo(file, catalog)
    return sum(not message.string for message in catalog if message.id)


if __name__ == "__main__":
    for package in packages():
        for tag in [tag for tag in LANGUAGES if tag != SOURCE]:
            missing = update(package, tag)
            place = path_of(package, tag).relative_to(ROOT)
            print(f"{place}: {f'{missing} texts to translate' if missing else 'complete'}")
