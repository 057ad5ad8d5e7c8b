"""Rows of `workspace_time`: two organizations, three workspaces, one person's time entries."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Final

from timetracking_assets.sandbox.dataset.calendar import Span, at
from timetracking_assets.sandbox.dataset.formats import offset_text, seconds
from timetracking_assets.sandbox.dataset.rows import Resources, Row
from timetracking_assets.sandbox.dataset.vocabulary import (
    ACTIVITIES,
    CUSTOMERS,
    PEOPLE,
    PROJECTS,
    TAGS,
    email,
)
from timetracking_assets.sandbox.dataset.worklog import Pattern, Work, worklog
from timetracking_assets.sandbox.identifiers import (
    ORGANIZATION_IDS,
    WORKSPACE_IDS,
    WORKSPACE_ORGANIZATIONS,
)

_PROJECT_COUNTS: Final = dict(zip(WORKSPACE_IDS, (10, 5, 4), strict=True))
_CLIENT_COUNTS: Final = dict(zip(WORKSPACE_IDS, (6, 3, 2), strict=True))
# Two full pages and a part, exactly one page, a part of one.
_TASK_COUNTS: Final = dict(zip(WORKSPACE_IDS, (120, 50, 7), strict=True))
_MEMBERS: Final = dict(zip(ORGANIZATION_IDS, (range(9), range(9, 13)), strict=True))
_ME: Final = 0


def generate(seed: int, span: Span) -> Resources:
    """All resources of the API."""
    clients = [row for workspace in WORKSPACE_IDS for row in _clients(workspace, span)]
    projects = [row for workspace in WORKSPACE_IDS for row in _projects(workspace, span)]
    tasks = [row for workspace in WORKSPACE_IDS for row in _tasks(workspace, span)]
    by_project: dict[int, list[int]] = defaultdict(list)
    for task in tasks:
        by_project[task["project_id"]].append(task["id"])
    # The first workspaces hold most of the projects, hence of the work.
    done = worklog(
        seed,
        "workspace_time",
        span,
        people=[_ME],
        projects=len(projects),
        pattern=Pattern(people_per_day=(1, 1), pieces_per_person=(1, 3)),
    )
    return {
        "time_entries": [
            _entry(_at_night(work), projects[work.project], by_project) for work in done
        ],
        "organizations": [_organization(index, span) for index in range(len(ORGANIZATION_IDS))],
        "organizations_users": [row for id_ in ORGANIZATION_IDS for row in _users(id_, span)],
        "organizations_groups": [row for id_ in ORGANIZATION_IDS for row in _groups(id_, span)],
        "workspace": [_statistics(workspace) for workspace in WORKSPACE_IDS],
        "workspace_clients": clients,
        "workspace_projects": projects,
        "workspace_tasks": tasks,
    }


def _user_id(person: int) -> int:
    return 880_001 + person


def _workspaces(organization: int) -> list[int]:
    return [id_ for id_, owner in WORKSPACE_ORGANIZATIONS.items() if owner == organization]


def _at_night(work: Work) -> Work:
    """Now and then a second piece of work is late: at +01:00 its date is the next day's."""
    if work.number % 10 != 1 or work.roll % 10 != 0:
        return work
    start, stop = at(work.day, 23, 15), at(work.day, 23, 50)
    written = stop + timedelta(minutes=5)
    return work._replace(
        start=start,
        stop=stop,
        created=max(work.created, written),
        changed=max(work.changed, written),
    )


def _entry(work: Work, project: Row, tasks: Mapping[int, Sequence[int]]) -> Row:
    offset = 1 if work.roll % 3 == 0 or work.start.hour == 23 else 0
    of_project = tasks[project["id"]]
    without_task = work.roll % 5 < 2
    return {
        "id": work.number,
        "workspace_id": project["workspace_id"],
        "project_id": project["id"],
        "task_id": None if without_task else of_project[work.roll % len(of_project)],
        "user_id": _user_id(work.person),
        "billable": work.billable,
        "start": offset_text(work.start, offset),
        "stop": offset_text(work.stop, offset),
        "duration": seconds(work.length),
        "description": work.note,
        "tags": [TAGS[(work.roll + step) % len(TAGS)] for step in range(work.roll % 4)],
        "at": offset_text(work.changed, 0),
    }


def _organization(index: int, span: Span) -> Row:
    organization = ORGANIZATION_IDS[index]
    return {
        "id": organization,
        "name": ("Studio Eichfeld", "Collectif Rivière")[index],
        "plan": {"name": "team" if index == 0 else "free", "seats": 10 if index == 0 else None},
        "user_count": len(_MEMBERS[organization]),
        "is_multi_workspace_enabled": len(_workspaces(organization)) > 1,
        "created_at": offset_text(at(span.first, 9), 0),
        "at": offset_text(at(span.first, 9, 30), 0),
    }


def _users(organization: int, span: Span) -> Iterator[Row]:
    for person in _MEMBERS[organization]:
        yield {
            "id": organization * 100 + person,
            "organization_id": organization,
            "user_id": _user_id(person),
            "name": PEOPLE[person].full,
            "email": email(PEOPLE[person]),
            "admin": person == _MEMBERS[organization][0],
            "inactive": person == 7,
            "workspaces": _workspaces(organization),
            "joined_at": None if person == 8 else offset_text(at(span.first, 10, person), 1),
        }


def _groups(organization: int, span: Span) -> Iterator[Row]:
    members = _MEMBERS[organization]
    for index, name in enumerate(("Design", "Entwicklung", "Alumni")):
        # Nobody is in the last group.
        group_members = members[index::2] if index < 2 else []
        yield {
            "group_id": organization * 10 + index,
            "organization_id": organization,
            "name": name,
            "users": [_user_id(person) for person in group_members],
            "workspaces": _workspaces(organization)[:1],
            "at": offset_text(at(span.first, 11, index), 0),
        }


def _statistics(workspace: int) -> Row:
    members = _MEMBERS[WORKSPACE_ORGANIZATIONS[workspace]]
    admin = members[0]
    return {
        "workspace_id": workspace,
        "admins": [{"user_id": _user_id(admin), "name": PEOPLE[admin].full}],
        "members_count": len(members),
        "groups_count": 3,
    }


def _clients(workspace: int, span: Span) -> Iterator[Row]:
    for index in range(_CLIENT_COUNTS[workspace]):
        yield {
            "id": workspace * 100 + index,
            "workspace_id": workspace,
            "name": CUSTOMERS[(index + workspace) % len(CUSTOMERS)],
            "archived": index == 4,
            "notes": None if index % 2 else "Invoice by e-mail",
            "at": offset_text(at(span.first, 12, index), 0),
        }


def _projects(workspace: int, span: Span) -> Iterator[Row]:
    for index in range(_PROJECT_COUNTS[workspace]):
        internal = index == _PROJECT_COUNTS[workspace] - 1
        start = span.first + timedelta(days=14 * index)
        yield {
            "id": workspace * 1_000 + index,
            "workspace_id": workspace,
            "client_id": None if internal else workspace * 100 + index % _CLIENT_COUNTS[workspace],
            "name": PROJECTS[-1] if internal else PROJECTS[index],
            "active": index != 3,
            "billable": None if internal else index % 3 != 2,
            "color": f"#{(index * 41 + 90) % 256:02x}7f{(200 - index * 13) % 256:02x}",
            "estimated_hours": 40 + 16 * index if index % 2 else None,
            "start_date": start.isoformat(),
            "end_date": (start + timedelta(days=200)).isoformat() if index == 3 else None,
            "created_at": offset_text(at(start, 8), 1),
            "at": offset_text(at(start, 8, 30), 1),
        }


def _tasks(workspace: int, span: Span) -> Iterator[Row]:
    for index in range(_TASK_COUNTS[workspace]):
        round_number, activity = divmod(index, len(ACTIVITIES))
        yield {
            "id": workspace * 10_000 + index,
            "workspace_id": workspace,
            "project_id": workspace * 1_000 + index % _PROJECT_COUNTS[workspace],
            "user_id": _user_id(_ME) if index % 4 == 0 else None,
            "name": f"{ACTIVITIES[activity]} {round_number + 1}",
            "active": index % 9 != 8,
            "estimated_seconds": 3_600 * (index % 6) or None,
            "tracked_seconds": 900 * (index % 23),
            "at": offset_text(at(span.first, 13, index % 60), 0),
        }
