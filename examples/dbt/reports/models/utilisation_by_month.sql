-- A month of a person: utilisation is billable of available, which is capacity less absence.
select
    d.person_key || ':' || c.month as person_month,
    d.person_key,
    p.name,
    c.month,
    sum(d.planned_seconds) / 3600.0 as planned_hours,
    sum(d.available_seconds) / 3600.0 as available_hours,
    sum(d.worked_seconds) / 3600.0 as worked_hours,
    sum(d.billable_seconds) / 3600.0 as billable_hours,
    sum(d.billable_seconds) * 1.0 / nullif(sum(d.available_seconds), 0) as utilisation
from {{ source('hours', 'person_days') }} as d
inner join {{ source('hours', 'calendar') }} as c on c.day = d.day
left join {{ source('hours', 'people') }} as p on p.person_key = d.person_key
where d.day < current_date and d.person_key is not null
group by d.person_key, p.name, c.month
