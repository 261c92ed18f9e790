"""Projects: folders in which no run is lost. `Project` is the face; the rest are the values it gives and takes."""

from adstudio.projects.bundle_format import SUFFIX as BUNDLE_SUFFIX
from adstudio.projects.bundle_import import TakenIn
from adstudio.projects.bundle_read import Bundle
from adstudio.projects.integrity import Fault, Finding
from adstudio.projects.layout import SUFFIX
from adstudio.projects.project import Project
from adstudio.projects.recent import forget_project, recent_projects, remember_project
from adstudio.projects.search import Order, Query
from adstudio.projects.trash import Collected
from adstudio.projects.undo import Command
from adstudio.projects.values import (
    Board,
    Frame,
    Health,
    Lineage,
    Page,
    ReadOnlyReason,
    Relation,
    Run,
    RunInput,
    RunResult,
    RunState,
    StoredObject,
)

__all__ = [
    "BUNDLE_SUFFIX",
    "SUFFIX",
    "Board",
    "Bundle",
    "Collected",
    "Command",
    "Fault",
    "Finding",
    "Frame",
    "Health",
    "Lineage",
    "Order",
    "Page",
    "Project",
    "Query",
    "ReadOnlyReason",
    "Relation",
    "Run",
    "RunInput",
    "RunResult",
    "RunState",
    "StoredObject",
    "TakenIn",
    "forget_project",
    "recent_projects",
    "remember_project",
]
