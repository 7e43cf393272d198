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


PEOPLE = {
    person.sub: person
    for person in (
        Person(
            sub="demo|ada",
            label="Ada Marlow",
            profile={"name": "Ada Marlow", "given_name": "Ada", "family_name": "Marlow"},
            email="ada@example.com",
            # Ofcom keeps these numbers free for drama.
            phone="+44 20 7946 0123",
            picture="people/ada.svg",
        ),
        Person(
            sub="demo|ben",
            label="Ben Okafor",
            profile={"name": "Ben Okafor", "nickname": "Benny"},
            email="ben@example.com",
        ),
        Person(
            sub="demo|yuki",
            label="山田 由紀 (Yuki Yamada)",
            profile={
                "name": "山田 由紀",
                "given_name": "由紀",
                "family_name": "山田",
                "locale": "ja",
            },
            email="yuki@example.jp",
        ),
        Person(
            sub="demo|clara",
            label=N_("Clara Whitfield, in no organization, with an empty calendar"),
            profile={"name": "Clara Whitfield", "nickname": "clara"},
            email="clara@example.org",
        ),
        # No name, no address: an app that expects more than `sub` breaks on this one.
        Person(sub="demo|5f0c2e97", label=N_("Someone known by a number only")),
    )
}

ORGANIZATIONS = {
    organization.id: organization
    for organization in (
        Organization(
            id="org_8Kq2LmZxW4tRvB1c",
            name="harbour-clinic",
            display_name="Harbour Clinic",
            members=("demo|ada", "demo|ben", "demo|5f0c2e97"),
        ),
        Organization(
            id="org_Yw73HdPnS0aJfE6u",
            name="meadow-school",
            display_name="Meadow School",
            members=("demo|ada", "demo|yuki"),
        ),
        Organization(
            id="org_Qc5TgNvR9bXkM2oi",
            name="tanabe-books",
            display_name="Tanabe Books",
            members=("demo|yuki",),
        ),
    )
}


def find_organization(id_or_name: str) -> Organization | None:
    """The organization of that id (compared exactly) or name (compared without case)."""
    for organization in ORGANIZATIONS.values():
        if id_or_name == organization.id or id_or_name.lower() == organization.name:
            return organization
    return None
