"""Invented names and sentences. Nobody and nothing in here exists; no brands."""

import unicodedata
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Name:
    """A person's name."""

    given: str
    family: str

    @property
    def full(self) -> str:
        """`Zoë Ångström`."""
        return f"{self.given} {self.family}"


PEOPLE: Final = (
    Name("Amara", "Okafor"),
    Name("Jonas", "Weidmann"),
    Name("Zoë", "Ångström"),
    Name("Mateus", "Carvalho"),
    Name("Léa", "Fournier"),
    Name("Piotr", "Żurawski"),
    Name("Hana", "Kovářová"),
    Name("Tomás", "Ibáñez"),
    Name("Sinéad", "O'Rourke"),
    Name("Yuki", "Tanabe"),
    Name("Selin", "Çelik"),
    Name("Björn", "Lindqvist"),
    Name("Priya", "Raghavan"),
    Name("Noam", "Ben-Artzi"),
)

CUSTOMERS: Final = (
    "Riverside Public Library",
    "Café & Rösterei am Markt",
    "Municipal Water Works",
    "Dünenhof Guesthouses",
    "Museum of Everyday Things",
    "Żuraw Boatyard",
    "Orchard School District",
    "Clinic at the Old Mill",
    "Færry Line North",
)

PROJECTS: Final = (
    "Website relaunch",
    "Booking portal",
    "Brand guidelines",
    "Data warehouse",
    "Mobile app",
    "Annual report",
    "Newsletter",
    "Accessibility audit",
    "Member area",
    "Online shop",
    "Exhibition guide",
    "Ticket counter",
    "Intranet",
    "Photo archive",
    "Signage Übersicht",
    "Support & maintenance",
    "Search rework",
    "Payment migration",
    "Volunteer register",
    "Internal",
)

ACTIVITIES: Final = (
    "Kick-off",
    "Research",
    "Concept",
    "Wireframes",
    "Design",
    "Development",
    "Review",
    "Testing",
    "Content",
    "Project lead",
)

NOTES: Final = (
    "Weekly planning with the client",
    "Fixed the date picker on small screens",
    "Entwurf für die Startseite überarbeitet",
    "Workshop, part 2: requirements → backlog",
    'Copy for "About us" and the footer',
    "Code review",
    "Déploiement et vérifications",
    "Import of the old catalogue; 3 rows were broken",
    "Called back about the invoice\nand sent the estimate again",
    "Pair programming 👩‍💻👨‍💻",
    "会議の準備",
    "Estimate, 2nd round: 40% less, 100% clearer",
    "Accessibility: contrast & focus order",
    "Support ticket #4711",
)

TAGS: Final = (
    "design",
    "development",
    "meeting",
    "on-site",
    "remote",
    "überstunden",
    "review",
    "urgent",
    "research",
    "writing",
    "travel",
    "training",
)


def email(name: Name, domain: str = "studio.example") -> str:
    """That person's address in plain letters: `zoe.angstrom@studio.example`."""
    return f"{_plain(name.given)}.{_plain(name.family)}@{domain}"


def _plain(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text.lower())
    return "".join(letter for letter in decomposed if "a" <= letter <= "z")
