"""The asset `health_report`, a page about all other assets, and the sensor that refreshes it.

Only the asset, its settings and its sensor belong here; the content of the report is made by the
other modules of `health`.
"""

import os
from pathlib import Path

import dagster as dg
from pydantic import Field

from timetracking_assets.health.watched import REPORT_KEY
from timetracking_assets.orchestration.automation.jobs import sensor_status
from timetracking_assets.orchestration.resources import WarehouseResource, runs_elsewhere
from timetracking_assets.orchestration.ui_address import DEFAULT, VARIABLE, ui_address

REPORT = "health_report"
_FINISHED = [
    dg.DagsterRunStatus.SUCCESS,
    dg.DagsterRunStatus.FAILURE,
    dg.DagsterRunStatus.CANCELED,
]


class HealthReportResource(dg.ConfigurableResource[None]):
    """Where the page is written, and where its links lead."""

    path: str = Field(
        default="",
        description="the HTML file; if empty, the environment variable TIMETRACKING_REPORT, else "
        "`health_report.html` beside the warehouse, or none where runs are on several machines",
    )
    ui_url: str = Field(
        default="",
        description="address of the Dagster UI; if empty, the environment variable "
        f"{VARIABLE}, else {DEFAULT}",
    )

    def file(self, directory: Path, instance: dg.DagsterInstance) -> Path | None:
        """The page's file; None if none is named and the machine is any of several."""
        named = self.path or os.environ.get("TIMETRACKING_REPORT")
        if named:
            return Path(named).expanduser()
        return None if runs_elsewhere(instance) else directory / "health_report.html"

    def ui(self) -> str:
        """The address of the Dagster UI, no slash at its end."""
        return self.ui_url.rstrip("/") or ui_address()


def build_health_definitions(watched: dg.Definitions) -> dg.Definitions:
    """The asset that reports on all assets of `watched`, its job, and the sensor that runs it."""

    @dg.asset(
        key=REPORT_KEY,
        group_name="health",
        description="One page that shows whether the data is complete, fresh and correct.",
        kinds={"html"},
    )
    def health_report(
        context: dg.AssetExecutionContext,
        warehouse: dg.ResourceParam[WarehouseResource],
        health_report: dg.ResourceParam[HealthReportResource],
    ) -> dg.MaterializeResult[None]:
        # charts and templates: only a run that makes the page waits for them
        from timetracking_assets.health.build import read_health, write_page
        from timetracking_assets.health.markdown import render_markdown
        from timetracking_assets.health.model import State

        opened = warehouse.open_for(context.instance)
        holder = f"run {context.run.run_id}, health report"
        health = read_health(context.instance, watched, opened, holder)
        path, ui_url = health_report.file(opened.directory, context.instance), health_report.ui()
        path = path.absolute() if path else None
        problem: str | None = None
        try:
            if path:
                write_page(path, health.page(ui_url))
        except OSError as error:
            problem = f"can't write the health report {path}: {error.strerror}"
        if problem:
            raise dg.Failure(
                f"{problem}. Set TIMETRACKING_REPORT to a file that can be written.",
                allow_retries=False,
            )
        report = health.report
        return dg.MaterializeResult(
            metadata={
                "report": dg.MetadataValue.md(render_markdown(report, ui_url)),
                **({"page": dg.MetadataValue.path(str(path))} if path else {}),
                "state": report.state.word,
                **{f"assets_{state.name.lower()}": report.count(state) for state in State},
            }
        )

    job = dg.define_asset_job(
        "health_report_job",
        selection=dg.AssetSelection.assets(REPORT_KEY),
        description="Makes the page of the health report.",
    )

    @dg.sensor(
        job=job,
        minimum_interval_seconds=60,
        default_status=sensor_status(),
        description="Refreshes the health report when runs have ended since the last time.",
    )
    def health_report_after_runs(
        context: dg.SensorEvaluationContext,
    ) -> dg.RunRequest | dg.SkipReason:
        seen = dg.RunsFilter(statuses=_FINISHED)
        ended = [
            record
            for record in context.instance.get_run_records(
                seen, limit=20, order_by="update_timestamp"
            )
            # beside other assets the report may have been made before they were loaded
            if record.dagster_run.asset_selection != {REPORT_KEY}
            and record.dagster_run.job_name != job.name
        ]
        if not ended:
            return dg.SkipReason("No run has ended yet.")
        newest = str(max(record.end_time or 0 for record in ended))
        if newest == context.cursor:
            return dg.SkipReason("No run has ended since the last report.")
        context.update_cursor(newest)
        return dg.RunRequest(run_key=newest)

    return dg.Definitions(
        assets=[health_report],
        jobs=[job],
        sensors=[health_report_after_runs],
        resources={REPORT: HealthReportResource()},
    )
