"""Promise: every name that is ever written to the outbox is a job of the worker."""

from __future__ import annotations

import ast
import importlib
from collections.abc import Iterator
from pathlib import Path

import worker
from foundation import queue

ROOT = Path(__file__).parent.parent.parent
ROOMS = ("foundation", "ledger", "directory", "referrals", "notifications", "routing", "intake", "desk")


def posts() -> Iterator[tuple[str, ast.expr]]:
    """The job of every `outbox.post(session, job, …)` of the rooms, with the module that says it."""
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Call) and ast.unparse(node.func) == "outbox.post":
                    yield module, node.args[1]


def name_of(module: str, job: ast.expr) -> str:
    if isinstance(job, ast.Constant):
        return str(job.value)
    assert isinstance(job, ast.Name), f"{module} posts a job whose name cannot be read from the code"
    return str(getattr(importlib.import_module(module), job.id))


def test_every_posted_name_is_a_job() -> None:
    named = {name_of(module, job) for module, job in posts()}
    assert named, "the scan found nothing"
    assert named <= set(worker.JOBS)


def test_every_job_is_posted_by_somebody() -> None:
    assert set(worker.JOBS) <= {name_of(module, job) for module, job in posts()}


def test_every_name_is_where_its_function_is() -> None:
    for name, job in worker.JOBS.items():
        assert name == f"{job.__module__}.{job.__qualname__}"


def test_the_bell_names_the_worker_s_drain() -> None:
    assert f"worker.{worker.drain.__name__}" == queue.DRAIN
