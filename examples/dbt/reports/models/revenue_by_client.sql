-- What each client was worth in a month, by the Monday of the week; no currency is converted.
select
    w.source,
    c.name as client,
    date_trunc('month', w.week) as month,
    w.currency,
    sum(w.worked_seconds) / 3600.0 as worked_hours,
    sum(w.billable_seconds) / 3600.0 as billable_hours,
    sum(w.amount) as amount
from {{ source('hours', 'person_project_weeks') }} as w
left join {{ source('hours', 'clients') }} as c on c.client_key = w.client_key
group by w.source, c.name, date_trunc('month', w.week), w.currency
