-- All hours of the model are some client's, or nobody's in particular.
{{ config(meta={'dagster': {'ref': {'name': 'revenue_by_client'}}}) }}

select r.hours, m.hours as in_the_model
from (select coalesce(sum(worked_hours), 0) as hours from {{ ref('revenue_by_client') }}) as r
cross join (
    select coalesce(sum(worked_seconds), 0) / 3600.0 as hours
    from {{ source('hours', 'person_project_weeks') }}
) as m
where abs(r.hours - m.hours) > 0.001
