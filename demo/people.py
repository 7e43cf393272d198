"""The sample people and organizations that the provider knows. There are no passwords."""

from __future__ import annotations

from dataclasses import dataclass, field

from demo.language import N_


@dataclass(frozen=True)
class Person:
    """Someone who can sign in. Only `sub` is sure among the claims (OIDC Core section 5.1).

    `label` is what the pages call them, translated there; `picture` a file below `static/`.
    """

    sub: str
    label: str
    profile: dict[str, str] = field(default_factory=dict)
    email: str | None = None
    phone: str | None = None
    picture: str | None = None

    def claims(self, scope: tuple[str, ...], origin: str) -> dict[str, object]:
        """The standard claims that these scopes ask for (OIDC Core section 5.4).

        `origin` is the provider's, such as `http://localhost:3001`, which serves the pictures.
        """
        claims: dict[str, object] = {"sub": self.sub}
        if "profile" in scope:
            claims |= self.profile
            if self.picture:
                claims["picture"] = f"{origin}/static/{self.picture}"
        if "email" in scope and self.email:
            claims |= {"email": self.email, "email_verified": True}
        if "phone" in scope and self.phone:
            claims |= {"phone_number": self.phone, "phone_number_verified": True}
        return claims


@dataclass(frozen=True)
class Organization:
    """A company whose members sign in together. The id never changes, the name may."""

    id: str
    name: str
    display_name: str
    members: tuple[str, ...]


ADA = {"name": "Ada Marlow", "given_name": "Ada", "family_name": "Marlow"}
BEN = {"name": "Ben Okafor", "nickname": "Benny"}
YUKI = {"name": "山田 由紀", "given_name": "由紀", "family_name": "山田", "locale": "ja"}
CLARA = {"name": "Clara Whitfield", "nickname": "clara"}
CLARAS_LABEL = N_("Clara Whitfield, in no organization, with an empty calendar")
# Ofcom keeps these numbers free for drama.
PHONE = "+44 20 7946 0123"
PEOPLE = {
    person.sub: person
    for person in (
        Person("demo|ada", "Ada Marlow", ADA, "ada@example.com", PHONE, "people/ada.svg"),
        Person("demo|ben", "Ben Okafor", BEN, "ben@example.com"),
        Person("demo|yuki", "山田 由紀 (Yuki Yamada)", YUKI, "yuki@example.jp"),
        Person("demo|clara", CLARAS_LABEL, CLARA, "clara@example.org"),
        # No name, no address: an app that expects more than `sub` breaks on this one.
        Person("demo|5f0c2e97", N_("Someone known by a number only")),
    )
}
CLINIC = ("demo|ada", "demo|ben", "demo|5f0c2e97")
ORGANIZATIONS = {
    organization.id: organization
    for organization in (
        Organization("org_8Kq2LmZxW4tRvB1c", "harbour-clinic", "Harbour Clinic", CLINIC),
        Organization(
            "org_Yw73HdPnS0aJfE6u", "meadow-school", "Meadow School", ("demo|ada", "demo|yuki")
        ),
        Organization("org_Qc5TgNvR9bXkM2oi", "tanabe-books", "Tanabe Books", ("demo|yuki",)),
    )
}


def find_organization(id_or_name: str) -> Organization | None:
    """The organization of that id (compared exactly) or name (compared without case)."""
    for organization in ORGANIZATIONS.values():
        if id_or_name == organization.id or id_or_name.lower() == organization.name:
            return organization
    return None
