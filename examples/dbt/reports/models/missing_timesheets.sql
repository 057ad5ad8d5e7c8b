-- Working days without hours, up to the last day of which anybody recorded some.
select
    d.person_key || ':' || d.day as person_day,
    d.person_key,
    p.name,
    p.email,
    d.day
from {{ source('hours', 'person_days') }} as d
left join {{ source('hours', 'people') }} as p on p.person_key = d.person_key
where
    d.available_seconds > 0
    and d.worked_seconds = 0
    and d.day < current_date
    and d.day <= (
        select max(w.day) from {{ source('hours', 'person_days') }} as w where w.worked_seconds > 0
    )
