"""The tables of the model: their columns, keys, what each reads, and what is replaced at a time.

What a table is described by is in `shapes.py`; the SQL of tables that are mapped is in
`mapped_tables.py`, that of the others in `derived_tables.py`.
"""

from __future__ import annotations

from timetracking_assets.hours.shapes import (
    BOOL,
    DAY,
    INSTANT,
    MONEY,
    NUMBER,
    SECONDS,
    TEXT,
    Column,
    Table,
)

SCHEMA = "hours"
"""The schema (dataset) of the model in the warehouse."""


def _source(what: str) -> tuple[Column, Column]:
    return (
        Column("source", TEXT, f"API that the {what} comes from"),
        Column("source_id", TEXT, "its id there, after `resource:` where several resources hold"),
    )


_PERSON_FACTS = (
    ("name", TEXT, "Name"),
    ("email", TEXT, "E-mail address"),
    ("active", BOOL, "Whether the person still works here"),
    ("starts_on", DAY, "First day of work"),
    ("ends_on", DAY, "Last day of work"),
    ("rate", MONEY, "Rate for an hour"),
    ("timezone", TEXT, "IANA name of the person's zone"),
    ("weekday_hours", TEXT, "Hours of each day of a week, Monday first, with commas between"),
)
_PERSON = Column("person_key", TEXT, "Person, a row of `people`", ("people_in_sources.person_key",))
_PROJECT = Column("project_key", TEXT, "Project, a row of `projects`")
_CLIENT = Column("client_key", TEXT, "Client, a row of `clients`")
_TASK = Column("task_key", TEXT, "Task, a row of `tasks`")


def _person_day(what: str, of: str, seconds_of: tuple[str, ...]) -> tuple[Column, ...]:
    return (
        Column("person_key", TEXT, "Person", (f"{of}.person_key",)),
        Column("day", DAY, "Day", ("calendar.day",)),
        Column("seconds", SECONDS, what, seconds_of),
    )


TABLES: dict[str, Table] = {
    table.name: table
    for table in (
        Table(
            "people_in_sources",
            "Accounts of people, one row for each API, and the person that each belongs to.",
            ("source", "source_id"),
            (
                *_source("account"),
                Column("person_key", TEXT, "Person, a row of `people`"),
                Column("matched_by", TEXT, "`identity`, `email`, or `unmatched`: on its own"),
                *(Column(*fact) for fact in _PERSON_FACTS),
            ),
            mapping="people",
        ),
        Table(
            "people",
            "People, whatever number of accounts they have.",
            ("person_key",),
            (
                Column("person_key", TEXT, "Person", ("people_in_sources.person_key",)),
                *(
                    Column(name, kind, text, (f"people_in_sources.{name}",))
                    for name, kind, text in _PERSON_FACTS
                ),
                Column("accounts", SECONDS, "Number of accounts", ("people_in_sources.source_id",)),
                Column("sources", TEXT, "APIs, with commas between", ("people_in_sources.source",)),
            ),
            reads=("people_in_sources",),
        ),
        Table(
            "clients",
            "Clients of each API. One name may be several rows: they are never merged by name.",
            ("client_key",),
            (
                Column("client_key", TEXT, "`source:id`"),
                *_source("client"),
                Column("name", TEXT, "Name"),
                Column("active", BOOL, "Whether it is still a client"),
            ),
            mapping="clients",
        ),
        Table(
            "projects",
            "Projects of each API.",
            ("project_key",),
            (
                Column("project_key", TEXT, "`source:id`"),
                *_source("project"),
                _CLIENT,
                Column("name", TEXT, "Name"),
                Column("code", TEXT, "The account's own number for it"),
                Column("active", BOOL, "Whether it is under way"),
                Column("billable", BOOL, "Whether its work is billable unless an entry says no"),
                Column("starts_on", DAY, "First day"),
                Column("ends_on", DAY, "Last day"),
                Column("estimated_seconds", SECONDS, "Estimate"),
            ),
            mapping="projects",
        ),
        Table(
            "tasks",
            "Tasks of projects.",
            ("task_key",),
            (
                Column("task_key", TEXT, "`source:id`"),
                *_source("task"),
                _PROJECT,
                Column("name", TEXT, "Name"),
                Column("active", BOOL, "Whether it is open"),
                Column("billable", BOOL, "Whether its work is billable"),
                Column("estimated_seconds", SECONDS, "Estimate"),
            ),
            mapping="tasks",
        ),
        Table(
            "time_entries",
            "Work done, one row for each time entry of any API.",
            ("entry_key",),
            (
                Column("entry_key", TEXT, "`source:id`"),
                *_source("entry"),
                _PERSON,
                _PROJECT,
                Column(
                    "client_key",
                    TEXT,
                    "Client, a row of `clients`; its project's, where the entry names none",
                    ("projects.client_key",),
                ),
                _TASK,
                Column("plan_key", TEXT, "Plan that it carries out, a row of `plans`"),
                Column("day", DAY, "Day of work; that of the start, where the API names none"),
                Column("started_at", INSTANT, "Start"),
                Column("ended_at", INSTANT, "End; none while it is running"),
                Column("seconds", SECONDS, "Seconds worked; none while it is running"),
                Column("running", BOOL, "Whether its timer is running"),
                Column("billable", BOOL, "Whether the client is charged"),
                Column("invoiced", BOOL, "Whether the client has been charged"),
                Column("locked", BOOL, "Whether it can't be changed any more"),
                Column("rate", MONEY, "Rate for an hour"),
                Column("currency", TEXT, "Currency of the rate; the model's, where none is named"),
                Column("activity", TEXT, "Kind of work"),
                Column("note", TEXT, "What was done"),
                Column("updated_at", INSTANT, "When it was last changed"),
            ),
            reads=("people_in_sources", "projects"),
            scope=("source", "day"),
            mapping="time_entries",
        ),
        Table(
            "absences",
            "Time off, one row for each person.",
            ("absence_key",),
            (
                Column("absence_key", TEXT, "`source:id`, and the person where one has several"),
                *_source("absence"),
                _PERSON,
                Column("first_day", DAY, "First day"),
                Column("last_day", DAY, "Last day"),
                Column("days", NUMBER, "Working days that it costs; halves count"),
                Column("hours_per_day", NUMBER, "Hours of each day; none: the whole day"),
                Column("kind", TEXT, "`vacation`, `sick`, `training` or `other`"),
                Column("status", TEXT, "`approved`, `requested` or `declined`"),
            ),
            reads=("people_in_sources",),
            mapping="absences",
        ),
        Table(
            "plans",
            "Work planned: hours of each working day over a range.",
            ("plan_key",),
            (
                Column("plan_key", TEXT, "`source:id`"),
                *_source("plan"),
                _PERSON,
                _PROJECT,
                _TASK,
                Column("first_day", DAY, "First day"),
                Column("last_day", DAY, "Last day"),
                Column("hours_per_day", NUMBER, "Hours of each working day"),
                Column("billable", BOOL, "Whether it is billable"),
                Column("status", TEXT, "`tentative`, `confirmed` or `completed`"),
            ),
            reads=("people_in_sources",),
            mapping="plans",
        ),
        Table(
            "holidays",
            "Days on which nobody works.",
            ("holiday_key",),
            (
                Column("holiday_key", TEXT, "`source:id`"),
                *_source("holiday"),
                Column("name", TEXT, "Name"),
                Column("first_day", DAY, "First day"),
                Column("last_day", DAY, "Last day"),
            ),
            mapping="holidays",
        ),
        Table(
            "calendar",
            "Each day from the first to the last on which anything was done, planned or taken off.",
            ("day",),
            (
                Column("day", DAY, "Day", ("time_entries.day", "plans.last_day")),
                Column("weekday", SECONDS, "1 is Monday, 7 is Sunday"),
                Column("week", DAY, "Monday of its week"),
                Column("month", DAY, "First day of its month"),
            ),
            reads=("time_entries", "absences", "plans"),
        ),
        Table(
            "capacity_days",
            "Working days of people: their weekly hours while they are employed, without holidays.",
            ("person_key", "day"),
            _person_day("Seconds that the person is there", "people", ("people.weekday_hours",)),
            reads=("people", "holidays", "calendar"),
            scope=("day",),
        ),
        Table(
            "planned_days",
            "Plans, spread over the person's working days.",
            ("person_key", "day"),
            _person_day("Seconds planned", "plans", ("plans.hours_per_day",)),
            reads=("plans", "capacity_days"),
            scope=("day",),
        ),
        Table(
            "absence_days",
            "Approved absences, spread over the person's working days. Who is absent in two APIs "
            "is absent once.",
            ("person_key", "day"),
            (
                *_person_day(
                    "Seconds absent, at most the day's capacity",
                    "absences",
                    ("absences.days", "absences.hours_per_day", "capacity_days.seconds"),
                ),
                Column("source", TEXT, "API that it was taken from", ("absences.source",)),
            ),
            reads=("absences", "capacity_days"),
            scope=("day",),
        ),
        Table(
            "person_days",
            "The whole model for a person and day: there, absent, available, planned, worked.",
            ("person_key", "day"),
            (
                Column("person_key", TEXT, "Person; none where an entry names nobody"),
                Column("day", DAY, "Day"),
                Column(
                    "capacity_seconds", SECONDS, "There by contract", ("capacity_days.seconds",)
                ),
                Column("absent_seconds", SECONDS, "Absent", ("absence_days.seconds",)),
                Column(
                    "available_seconds",
                    SECONDS,
                    "Capacity less absence",
                    ("capacity_days.seconds", "absence_days.seconds"),
                ),
                Column("planned_seconds", SECONDS, "Planned", ("planned_days.seconds",)),
                Column("worked_seconds", SECONDS, "Worked", ("time_entries.seconds",)),
                Column(
                    "billable_seconds",
                    SECONDS,
                    "Worked and billable",
                    ("time_entries.seconds", "time_entries.billable"),
                ),
            ),
            reads=("capacity_days", "absence_days", "planned_days", "time_entries"),
            scope=("day",),
        ),
        Table(
            "person_project_weeks",
            "Work done for each person, project and week, by the API that it was recorded in.",
            ("source", "person_key", "project_key", "client_key", "week", "currency"),
            (
                Column("source", TEXT, "API that it was recorded in", ("time_entries.source",)),
                Column("person_key", TEXT, "Person", ("time_entries.person_key",)),
                Column("project_key", TEXT, "Project", ("time_entries.project_key",)),
                Column("client_key", TEXT, "Client", ("time_entries.client_key",)),
                Column("week", DAY, "Monday of the week", ("time_entries.day",)),
                Column("currency", TEXT, "Currency of the amount", ("time_entries.currency",)),
                Column("worked_seconds", SECONDS, "Worked", ("time_entries.seconds",)),
                Column(
                    "billable_seconds",
                    SECONDS,
                    "Worked and billable",
                    ("time_entries.seconds", "time_entries.billable"),
                ),
                Column(
                    "amount",
                    MONEY,
                    "Billable hours at their rates; entries without a rate count nothing",
                    ("time_entries.seconds", "time_entries.billable", "time_entries.rate"),
                ),
            ),
            reads=("time_entries",),
            scope=("week",),
        ),
    )
}
"""The tables by name; each after those that it reads."""

MARTS = ("person_days", "person_project_weeks")
"""The tables that are not built on a wrong base."""
