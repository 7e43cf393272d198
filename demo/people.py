"""The sample people and organizations that the provider knows. There are no passwords."""

from __future__ import annotations

from dataclasses import dataclass, field

from demo.language import N_


@dataclass(frozen=True)
class Person:
    """Someone who can sign in. Only `sub` is sure among the claims (OIDC Core section 5.1).

    `label` is what the pages call them, and `hint` why they are worth a try, both translated
    there; `portrait` is a file below `static/people/`, which a person with a name has as `picture`.
    """

    sub: str
    label: str
    portrait: str
    hint: str
    profile: dict[str, str] = field(default_factory=dict)
    email: str | None = None
    phone: str | None = None

    def claims(self, scope: tuple[str, ...], origin: str) -> dict[str, object]:
        """The standard claims that these scopes ask for (OIDC Core section 5.4).

        `origin` is the provider's, such as `http://localhost:3001`, which serves the pictures.
        """
        claims: dict[str, object] = {"sub": self.sub}
        if "profile" in scope:
            claims |= self.profile
            if self.profile:
                claims["picture"] = f"{origin}/static/people/{self.portrait}"
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
YUKI = {
    **{"name": "山田 由紀", "given_name": "由紀", "family_name": "山田"},
    **{"locale": "ja", "zoneinfo": "Asia/Tokyo"},
}
CLARA = {"name": "Clara Whitfield", "nickname": "clara"}
# Ofcom keeps these numbers free for drama.
PHONE = "+44 20 7946 0123"
ADAS, BENS = N_("Has everything that an app may ask for"), N_("Has a nickname and no phone")
YUKIS, CLARAS = N_("Lives by Tokyo's time"), N_("In no organization, with an empty calendar")
# No name, no address: an app that expects more than `sub` breaks on this one.
NUMBERS = N_("Has neither name nor e-mail address")
PEOPLE = {
    person.sub: person
    for person in (
        Person("demo|ada", "Ada Marlow", "ada.svg", ADAS, ADA, "ada@example.com", PHONE),
        Person("demo|ben", "Ben Okafor", "ben.svg", BENS, BEN, "ben@example.com"),
        Person("demo|yuki", "山田 由紀 (Yuki Yamada)", "yuki.svg", YUKIS, YUKI, "yuki@example.jp"),
        Person("demo|clara", "Clara Whitfield", "clara.svg", CLARAS, CLARA, "clara@example.org"),
        Person("demo|5f0c2e97", N_("Someone known by a number only"), "number.svg", NUMBERS),
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
