"""Settings of the Celery workers; dagster-celery reads this module if it is on the PYTHONPATH.

The launcher's own are in `dagster.yaml`. `dagster-celery worker start` isn't used: it writes the
broker's password into DAGSTER_HOME, and does not pass on the signal that ends a worker.
"""

import os

broker_url = result_backend = os.environ["CELERY_BROKER_URL"]
broker_connection_retry_on_startup = True
# a worker takes no run that it can't start at once
worker_prefetch_multiplier = 1
worker_disable_prefetch = True
# a started run is not delivered a second time: Dagster decides whether it runs again
task_acks_late = False
# to be seen by the launcher, with the worker that has it
task_track_started = True
