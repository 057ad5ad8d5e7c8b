"""Is the data complete, fresh and correct? The health report, and the hours that the data holds.

Data flows one way: the instance's event log (`event_log.py`) and the definitions (`watched.py`)
give facts, `judgement.py` turns facts into a report (`model.py`), and the report is shown as a page
(`page.py`), as Markdown, or in the terminal. `hours.py` asks the warehouse. The asset and the
sensor that keep the page fresh are in `health/asset.py`.
"""
