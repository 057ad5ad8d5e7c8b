"""Rows of `time_analytics`: two workspaces with their people, projects and time entries."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

from timetracking_assets.sandbox.dataset.calendar import Span
from timetracking_assets.sandbox.dataset.formats import duration_text, utc_text
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
from timetracking_assets.sandbox.identifiers import ANALYTICS_WORKSPACE_IDS, hex_id

_LONG_PROJECT_TASKS: Final = 75
_FREELANCE_ENTRIES: Final = 50


@dataclass(frozen=True, slots=True)
class _Workspace:
    """What one workspace is made of; a person belongs to one workspace only."""

    id: str
    workers: Sequence[int]
    freelancer: int | None
    newcomer: int | None
    first_project: int
    projects: int
    clients: int
    tags: int
    pattern: Pattern

    @property
    def people(self) -> list[int]:
        others = [person for person in (self.freelancer, self.newcomer) if person is not None]
        return [*self.workers, *others]


_WORKSPACES: Final = (
    _Workspace(
        id=ANALYTICS_WORKSPACE_IDS[0],
        workers=range(4),
        # Exactly one full page of entries, and none at all.
        freelancer=4,
        newcomer=5,
        first_project=0,
        projects=12,
        clients=7,
        tags=12,
        pattern=Pattern(people_per_day=(1, 2), pieces_per_person=(1, 2)),
    ),
    _Workspace(
        id=ANALYTICS_WORKSPACE_IDS[1],
        workers=range(6, 9),
        freelancer=None,
        newcomer=None,
        first_project=12,
        projects=5,
        clients=2,
        tags=4,
        pattern=Pattern(people_per_day=(0, 1), pieces_per_person=(1, 2)),
    ),
)


def generate(seed: int, span: Span) -> Resources:
    """All resources of the API."""
    tasks = [row for workspace in _WORKSPACES for row in _tasks(workspace)]
    by_project: dict[str, list[str]] = {}
    for task in tasks:
        by_project.setdefault(task["projectId"], []).append(task["id"])
    return {
        "users": [row for workspace in _WORKSPACES for row in _users(workspace)],
        "projects": [row for workspace in _WORKSPACES for row in _projects(workspace)],
        "clients": [row for workspace in _WORKSPACES for row in _clients(workspace)],
        "tags": [row for workspace in _WORKSPACES for row in _tags(workspace)],
        "user_groups": [row for workspace in _WORKSPACES for row in _groups(workspace)],
        "time_entries": [
            _entry(workspace, work, by_project)
            for workspace in _WORKSPACES
            for work in _work(seed, span, workspace)
        ],
        "tasks": tasks,
    }


def _user_id(person: int) -> str:
    return hex_id("user", person)


def _project_id(workspace: _Workspace, index: int) -> str:
    return hex_id("project", workspace.id, index)


def _client_id(workspace: _Workspace, index: int) -> str:
    return hex_id("client", workspace.id, index)


def _tag_id(workspace: _Workspace, index: int) -> str:
    return hex_id("tag", workspace.id, index)


def _work(seed: int, span: Span, workspace: _Workspace) -> Iterator[Work]:
    yield from worklog(
        seed,
        f"time_analytics/{workspace.id}",
        span,
        people=workspace.workers,
        projects=workspace.projects,
        pattern=workspace.pattern,
    )
    if workspace.freelancer is not None:
        daily = worklog(
            seed,
            f"time_analytics/{workspace.id}/freelancer",
            span,
            people=[workspace.freelancer],
            projects=workspace.projects,
            pattern=Pattern(people_per_day=(1, 1), pieces_per_person=(1, 1)),
        )
        yield from islice(daily, _FREELANCE_ENTRIES)


def _entry(workspace: _Workspace, work: Work, tasks: dict[str, list[str]]) -> Row:
    project = _project_id(workspace, work.project)
    of_project = tasks.get(project, [])
    has_task = of_project and work.roll % 3
    return {
        "id": hex_id("entry", workspace.id, work.number),
        "description": work.note or "",
        "userId": _user_id(work.person),
        "workspaceId": workspace.id,
        "projectId": project,
        "taskId": of_project[work.roll % len(of_project)] if has_task else None,
        "billable": work.billable,
        "tagIds": [
            _tag_id(workspace, (work.roll + step) % workspace.tags) for step in range(work.roll % 3)
        ],
        "timeInterval": {
            "start": utc_text(work.start),
            "end": utc_text(work.stop),
            "duration": duration_text(work.length),
        },
        "isLocked": work.roll % 4 == 0,
    }


def _users(workspace: _Workspace) -> Iterator[Row]:
    for person in workspace.people:
        former = person == workspace.freelancer
        yield {
            "id": _user_id(person),
            "workspaceId": workspace.id,
            "name": PEOPLE[person].full,
            "email": email(PEOPLE[person]),
            "status": "INACTIVE" if former else "ACTIVE",
            "settings": {"weekStart": "MONDAY", "timeZone": "Europe/Berlin"},
            "profilePicture": None,
        }


def _projects(workspace: _Workspace) -> Iterator[Row]:
    for index in range(workspace.projects):
        internal = index == workspace.projects - 1
        yield {
            "id": _project_id(workspace, index),
            "workspaceId": workspace.id,
            "name": PROJECTS[-1] if internal else PROJECTS[workspace.first_project + index],
            "clientId": None if internal else _client_id(workspace, index % workspace.clients),
            "archived": index == 2,
            "billable": not internal,
            "color": f"#{(index * 53 + 60) % 256:02X}40A0",
            "hourlyRate": None
            if index % 3 == 1
            else {"amount": 8_500 + 250 * index, "currency": "EUR"},
            "note": "",
        }


def _clients(workspace: _Workspace) -> Iterator[Row]:
    for index in range(workspace.clients):
        name = CUSTOMERS[-1 - index] if workspace.first_project else CUSTOMERS[index]
        yield {
            "id": _client_id(workspace, index),
            "workspaceId": workspace.id,
            "name": name,
            "email": None if index % 2 else f"accounts-{index}@customer.example",
            "archived": index == 5,
        }


def _tags(workspace: _Workspace) -> Iterator[Row]:
    for index in range(workspace.tags):
        yield {
            "id": _tag_id(workspace, index),
            "workspaceId": workspace.id,
            "name": TAGS[index],
            "archived": index == 3,
        }


def _groups(workspace: _Workspace) -> Iterator[Row]:
    for index, name in enumerate(("Design", "Développement")):
        yield {
            "id": hex_id("group", workspace.id, index),
            "workspaceId": workspace.id,
            "name": name,
            "userIds": [_user_id(person) for person in workspace.people[index::2]],
        }


def _tasks(workspace: _Workspace) -> Iterator[Row]:
    # The last project of each workspace has no tasks.
    for project in range(workspace.projects - 1):
        longest = project == 0 and workspace.first_project == 0
        for index in range(_LONG_PROJECT_TASKS if longest else 3 + project % 4):
            round_number, activity = divmod(index, len(ACTIVITIES))
            yield {
                "id": hex_id("task", workspace.id, project, index),
                "projectId": _project_id(workspace, project),
                "name": f"{ACTIVITIES[activity]} {round_number + 1}",
                "status": "DONE" if index % 5 == 4 else "ACTIVE",
                "assigneeIds": [_user_id(workspace.workers[index % len(workspace.workers)])],
                "estimate": None if index % 2 else f"PT{4 + index % 8}H",
                "billable": index % 6 != 5,
            }
