-- # Joins

-- pair join_by_inequality
-- honest
select s.id, s.dep, s.is_late, avg(e.delay) as x from @stg as s
left join @stg as e on e.carrier = s.carrier and e.landed < s.dep group by s.id, s.dep, s.is_late
-- leaky L002
select s.id, s.dep, s.is_late, avg(e.delay) as x from @stg as s
left join @stg as e on e.carrier = s.carrier and e.dep < s.dep group by s.id, s.dep, s.is_late

-- pair inequality_turned_round
-- honest
select s.id, s.dep, s.is_late, max(e.delay) as x from @stg as s
left join @stg as e on e.carrier = s.carrier and s.dep > e.landed group by s.id, s.dep, s.is_late
-- leaky L002
select s.id, s.dep, s.is_late, max(e.delay) as x from @stg as s
left join @stg as e on e.carrier = s.carrier and s.dep > e.dep group by s.id, s.dep, s.is_late

-- pair between
-- honest
select s.id, s.dep, s.is_late, sum(e.delay) as x from @stg as s
left join @stg as e on e.carrier = s.carrier and e.landed between s.dep - interval 2 days and s.dep
group by s.id, s.dep, s.is_late
-- leaky L002
select s.id, s.dep, s.is_late, sum(e.delay) as x from @stg as s
left join @stg as e on e.carrier = s.carrier and e.dep between s.dep - interval 2 days and s.dep
group by s.id, s.dep, s.is_late

-- pair between_that_ends_later
-- honest
select s.id, s.dep, s.is_late, sum(e.delay) as x from @stg as s
left join @stg as e on e.carrier = s.carrier and e.landed between s.dep - interval 2 days and s.dep - interval 1
  hour
group by s.id, s.dep, s.is_late
-- leaky L002
select s.id, s.dep, s.is_late, sum(e.delay) as x from @stg as s
left join @stg as e on e.carrier = s.carrier and e.landed between s.dep - interval 2 days and s.dep + interval 1 day
group by s.id, s.dep, s.is_late

-- pair condition_in_where
-- honest
select s.id, s.dep, s.is_late, avg(e.delay) as x from @stg as s join @stg as e on true
where e.carrier = s.carrier and e.landed < s.dep group by s.id, s.dep, s.is_late
-- leaky L002
select s.id, s.dep, s.is_late, avg(e.delay) as x from @stg as s join @stg as e on true
where e.carrier = s.carrier and e.dep < s.dep group by s.id, s.dep, s.is_late

-- pair comma_join
-- honest
select s.id, s.dep, s.is_late, avg(e.delay) as x from @stg s, @stg e
where e.carrier = s.carrier and e.landed < s.dep group by all
-- leaky L002 L009
select s.id, s.dep, s.is_late, avg(e.delay) as x from @stg s, @stg e
where e.carrier = s.carrier and e.landed <> s.dep group by all

-- pair quoted_and_in_capitals
-- honest
select S.ID, S.DEP, S.IS_LATE, avg(`E`.`Delay`) as x from @stg S
left join @stg `E` on e.carrier = s.CARRIER and `E`.`LANDED` < s.dep group by s.id, s.dep, s.is_late
-- leaky L002
select S.ID, S.DEP, S.IS_LATE, avg(`E`.`Delay`) as x from @stg S
left join @stg `E` on e.carrier = s.CARRIER and `E`.`DEP` < s.dep group by s.id, s.dep, s.is_late

-- pair inequality_or_more
-- honest
select s.id, s.dep, s.is_late, avg(e.delay) as x from @stg as s
left join @stg as e on e.carrier = s.carrier and e.landed < s.dep group by s.id, s.dep, s.is_late
-- leaky L002
select s.id, s.dep, s.is_late, avg(e.delay) as x from @stg as s
left join @stg as e on e.carrier = s.carrier and (e.landed < s.dep or e.miles > 400)
group by s.id, s.dep, s.is_late

-- pair negated
-- honest
select s.id, s.dep, s.is_late, avg(e.delay) as x from @stg as s
left join @stg as e on e.carrier = s.carrier and not e.landed >= s.dep group by s.id, s.dep, s.is_late
-- leaky L002
select s.id, s.dep, s.is_late, avg(e.delay) as x from @stg as s
left join @stg as e on e.carrier = s.carrier and not e.dep >= s.dep group by s.id, s.dep, s.is_late

-- pair negated_or
-- honest
select s.id, s.dep, s.is_late, avg(e.delay) as x from @stg as s
left join @stg as e on e.carrier = s.carrier and not (e.landed >= s.dep or e.miles > 500)
group by s.id, s.dep, s.is_late
-- leaky L002
select s.id, s.dep, s.is_late, avg(e.delay) as x from @stg as s
left join @stg as e on e.carrier = s.carrier and not (e.landed >= s.dep and e.miles > 500)
group by s.id, s.dep, s.is_late

-- pair in_days
-- honest
select s.id, s.dep, s.is_late, avg(e.delay) as x from @stg as s
left join @stg as e on e.carrier = s.carrier and datediff(s.dep, e.landed) between 1 and 3
group by s.id, s.dep, s.is_late
-- leaky L002
select s.id, s.dep, s.is_late, avg(e.delay) as x from @stg as s
left join @stg as e on e.carrier = s.carrier and datediff(s.dep, e.landed) between 0 and 3
group by s.id, s.dep, s.is_late

-- pair in_hours
-- honest
select s.id, s.dep, s.is_late, avg(e.delay) as x from @stg as s
left join @stg as e on e.carrier = s.carrier and timestampdiff(hour, e.landed, s.dep) >= 1
group by s.id, s.dep, s.is_late
-- leaky L002
select s.id, s.dep, s.is_late, avg(e.delay) as x from @stg as s
left join @stg as e on e.carrier = s.carrier and timestampdiff(hour, e.landed, s.dep) >= 0
group by s.id, s.dep, s.is_late

-- pair in_seconds
-- honest
select s.id, s.dep, s.is_late, avg(e.delay) as x from @stg as s
left join @stg as e on e.carrier = s.carrier and unix_timestamp(e.landed) < unix_timestamp(s.dep)
group by s.id, s.dep, s.is_late
-- leaky L002
select s.id, s.dep, s.is_late, avg(e.delay) as x from @stg as s
left join @stg as e on e.carrier = s.carrier and unix_timestamp(e.dep) < unix_timestamp(s.dep)
group by s.id, s.dep, s.is_late

-- pair a_difference
-- honest
select s.id, s.dep, s.is_late, avg(e.delay) as x from @stg as s
left join @stg as e on e.carrier = s.carrier and s.dep - e.landed > interval 0 seconds
group by s.id, s.dep, s.is_late
-- leaky L002
select s.id, s.dep, s.is_late, avg(e.delay) as x from @stg as s
left join @stg as e on e.carrier = s.carrier and s.dep - e.landed > interval '-1' day
group by s.id, s.dep, s.is_late

-- pair the_side_that_a_left_join_keeps
-- honest
select id, dep, is_late, s.delay as x from @stg s join (select max(dep) as d
from @stg) k on s.landed < s.dep + interval 0 days
-- leaky L001
select id, dep, is_late, s.delay as x from @stg s left join (select max(dep) as d
from @stg) k on s.landed < s.dep + interval 0 days

-- pair the_flight_before
-- honest
with n as (select *, row_number() over (partition by tail order by dep, id) as n
from @stg) select s.id, s.dep, s.is_late, p.delay as x from n s
left join n p on p.tail = s.tail and p.n = s.n - 1 and p.landed < s.dep
-- leaky L002
with n as (select *, row_number() over (partition by tail order by dep, id) as n
from @stg) select s.id, s.dep, s.is_late, max(p.delay) as x from n s
left join n p on p.tail = s.tail and p.n = s.n - 1 group by all

-- pair lateral
-- honest
select s.id, s.dep, s.is_late, l.x from @stg s, lateral (select avg(e.delay) as x from @stg e
where e.carrier = s.carrier and e.landed < s.dep) l
-- leaky L002
select s.id, s.dep, s.is_late, l.x from @stg s, lateral (select avg(e.delay) as x from @stg e
where e.carrier = s.carrier and e.dep < s.dep) l

-- # Subqueries

-- pair scalar_subquery
-- honest
select id, dep, is_late, (select avg(e.delay) from @stg e where e.carrier = s.carrier and e.landed < s.dep) as x
from @stg s
-- leaky L002
select id, dep, is_late, (select avg(e.delay) from @stg e where e.carrier = s.carrier and e.dep < s.dep) as x
from @stg s

-- pair exists
-- honest
select id, dep, is_late, exists (select 1 from @stg e
where e.tail = s.tail and e.delay > 15 and e.landed < s.dep) as x from @stg s
-- leaky L002
select id, dep, is_late, exists (select 1 from @stg e
where e.tail = s.tail and e.delay > 15 and e.dep < s.dep) as x from @stg s

-- pair in_subquery
-- honest
select id, dep, is_late, tail in (select e.tail from @stg e where e.delay > 15 and e.landed < s.dep) as x
from @stg s
-- leaky L002
select id, dep, is_late, tail in (select e.tail from @stg e where e.delay > 15 and e.dep < s.dep) as x
from @stg s

-- # Conditions inside of expressions

-- pair case_in_an_aggregate
-- honest
select s.id, s.dep, s.is_late, sum(case when e.landed < s.dep then e.delay end) as x from @stg as s
left join @stg as e on e.carrier = s.carrier group by s.id, s.dep, s.is_late
-- leaky L002
select s.id, s.dep, s.is_late, sum(case when e.dep < s.dep then e.delay end) as x from @stg as s
left join @stg as e on e.carrier = s.carrier group by s.id, s.dep, s.is_late

-- pair case_with_else
-- honest
select s.id, s.dep, s.is_late, sum(case when e.landed < s.dep then e.delay else 0 end) as x from @stg as s
left join @stg as e on e.carrier = s.carrier group by s.id, s.dep, s.is_late
-- leaky L002
select s.id, s.dep, s.is_late, sum(case when e.landed < s.dep then 0 else e.delay end) as x from @stg as s
left join @stg as e on e.carrier = s.carrier group by s.id, s.dep, s.is_late

-- pair else_of_what_is_later
-- honest
select s.id, s.dep, s.is_late, sum(case when e.landed is null or e.landed >= s.dep then 0 else e.delay end) as x
from @stg as s left join @stg as e on e.carrier = s.carrier group by s.id, s.dep, s.is_late
-- leaky L002
select s.id, s.dep, s.is_late, sum(case when e.landed >= s.dep then 0 else e.delay end) as x from @stg as s
left join @stg as e on e.carrier = s.carrier group by s.id, s.dep, s.is_late

-- pair second_when
-- honest
select s.id, s.dep, s.is_late, sum(case when e.landed is null then 0 when e.landed >= s.dep then 0 else e.delay
  end) as x
from @stg as s left join @stg as e on e.carrier = s.carrier group by s.id, s.dep, s.is_late
-- leaky L002
select s.id, s.dep, s.is_late, sum(case when e.landed is null then 0 when e.dep >= s.dep then 0 else e.delay end)
  as x
from @stg as s left join @stg as e on e.carrier = s.carrier group by s.id, s.dep, s.is_late

-- pair if
-- honest
select s.id, s.dep, s.is_late, avg(if(e.landed < s.dep, e.delay, null)) as x from @stg as s
left join @stg as e on e.carrier = s.carrier group by s.id, s.dep, s.is_late
-- leaky L002
select s.id, s.dep, s.is_late, avg(if(e.dep < s.dep, e.delay, null)) as x from @stg as s
left join @stg as e on e.carrier = s.carrier group by s.id, s.dep, s.is_late

-- pair filter_clause
-- honest
select s.id, s.dep, s.is_late, avg(e.delay) filter (where e.landed < s.dep) as x from @stg as s
left join @stg as e on e.carrier = s.carrier group by s.id, s.dep, s.is_late
-- leaky L002
select s.id, s.dep, s.is_late, avg(e.delay) filter (where e.dep < s.dep) as x from @stg as s
left join @stg as e on e.carrier = s.carrier group by s.id, s.dep, s.is_late

-- pair count_if
-- honest
select s.id, s.dep, s.is_late, count_if(e.landed < s.dep and e.delay > 15) as x from @stg as s
left join @stg as e on e.carrier = s.carrier group by s.id, s.dep, s.is_late
-- leaky L002
select s.id, s.dep, s.is_late, count_if(e.dep < s.dep and e.delay > 15) as x from @stg as s
left join @stg as e on e.carrier = s.carrier group by s.id, s.dep, s.is_late

-- pair any
-- honest
select s.id, s.dep, s.is_late, bool_or(e.delay > 15 and e.landed < s.dep) as x from @stg as s
left join @stg as e on e.carrier = s.carrier group by s.id, s.dep, s.is_late
-- leaky L002
select s.id, s.dep, s.is_late, bool_or(e.delay > 15 and e.dep < s.dep) as x from @stg as s
left join @stg as e on e.carrier = s.carrier group by s.id, s.dep, s.is_late

-- pair and_as_a_number
-- honest
select s.id, s.dep, s.is_late, sum(cast(e.landed < s.dep and e.delay > 15 as int)) as x from @stg as s
left join @stg as e on e.carrier = s.carrier group by s.id, s.dep, s.is_late
-- leaky L002
select s.id, s.dep, s.is_late, sum(cast(e.dep < s.dep and e.delay > 15 as int)) as x from @stg as s
left join @stg as e on e.carrier = s.carrier group by s.id, s.dep, s.is_late

-- pair still_in_the_air
-- honest
select s.id, s.dep, s.is_late, count_if(e.dep < s.dep and (e.landed > s.dep or e.landed is null)) as x
from @stg as s left join @stg as e on e.carrier = s.carrier group by s.id, s.dep, s.is_late
-- leaky L002
select s.id, s.dep, s.is_late, count_if(e.dep < s.dep and e.landed > s.dep) as x from @stg as s
left join @stg as e on e.carrier = s.carrier group by s.id, s.dep, s.is_late

-- pair not_landed
-- honest
select s.id, s.dep, s.is_late, count_if(e.dep < s.dep and not coalesce(e.landed <= s.dep, false)) as x
from @stg as s left join @stg as e on e.carrier = s.carrier group by s.id, s.dep, s.is_late
-- leaky L002
select s.id, s.dep, s.is_late, count_if(e.dep < s.dep and not e.landed <= s.dep) as x from @stg as s
left join @stg as e on e.carrier = s.carrier group by s.id, s.dep, s.is_late

-- pair in_the_air_an_hour_later
-- honest
select s.id, s.dep, s.is_late, count_if(e.dep < s.dep and (e.landed is null or e.landed > s.dep)) as x
from @stg as s left join @stg as e on e.carrier = s.carrier group by s.id, s.dep, s.is_late
-- leaky L002
select s.id, s.dep, s.is_late, count_if(e.dep < s.dep and (e.landed is null or e.landed > s.dep + interval 1
  hour)) as x
from @stg as s left join @stg as e on e.carrier = s.carrier group by s.id, s.dep, s.is_late

-- pair open_or_never_closed
-- honest
select s.id, s.dep, s.is_late, count_if(e.dep < s.dep and (e.landed is null or e.landed > s.dep)) as x
from @stg as s left join @stg as e on e.carrier = s.carrier group by s.id, s.dep, s.is_late
-- leaky L002
select s.id, s.dep, s.is_late, count_if(e.dep < s.dep and e.landed is null) as x from @stg as s
left join @stg as e on e.carrier = s.carrier group by s.id, s.dep, s.is_late

-- pair open_until_the_end_of_time
-- honest
select s.id, s.dep, s.is_late, count_if(e.dep < s.dep and coalesce(e.landed, timestamp '9999-12-31') > s.dep) as x
from @stg as s left join @stg as e on e.carrier = s.carrier group by s.id, s.dep, s.is_late
-- leaky L002
select s.id, s.dep, s.is_late, count_if(e.dep < s.dep and coalesce(e.landed, e.dep) > s.dep - interval 1 hour) as x
from @stg as s left join @stg as e on e.carrier = s.carrier group by s.id, s.dep, s.is_late

-- pair time_since_the_last
-- honest
select s.id, s.dep, s.is_late, timestampdiff(minute, max(case when e.landed < s.dep then e.landed end), s.dep) as x
from @stg as s left join @stg as e on e.carrier = s.carrier group by s.id, s.dep, s.is_late
-- leaky L002
select s.id, s.dep, s.is_late, timestampdiff(minute, max(e.landed), s.dep) as x from @stg as s
left join @stg as e on e.carrier = s.carrier group by s.id, s.dep, s.is_late

-- pair a_named_condition
-- honest
with pairs as (select s.id, s.dep, s.is_late, e.delay as e_delay, e.landed as e_landed, e.dep as e_dep
from @stg as s left join @stg as e on e.carrier = s.carrier), k as (select *, e_landed < dep as is_known
from pairs) select id, dep, is_late, sum(case when is_known then e_delay end) as x from k group by all
-- leaky L002
with pairs as (select s.id, s.dep, s.is_late, e.delay as e_delay, e.landed as e_landed, e.dep as e_dep
from @stg as s left join @stg as e on e.carrier = s.carrier), k as (select *, e_dep < dep as is_known
from pairs) select id, dep, is_late, sum(case when is_known then e_delay end) as x from k group by all

-- # CTEs and several SQL models

-- pair cte_chain
-- honest
with pairs as (select s.id, s.dep, s.is_late, e.delay as e_delay, e.landed as e_landed, e.dep as e_dep
from @stg as s left join @stg as e on e.carrier = s.carrier), k as (select * from pairs
where e_landed < dep) select id, dep, is_late, avg(e_delay) as x from k group by all
-- leaky L002
with pairs as (select s.id, s.dep, s.is_late, e.delay as e_delay, e.landed as e_landed, e.dep as e_dep
from @stg as s left join @stg as e on e.carrier = s.carrier), k as (select * from pairs
where e_dep < dep) select id, dep, is_late, avg(e_delay) as x from k group by all

-- pair subquery_in_from
-- honest
select id, dep, is_late, avg(v) as x
from (select s.id, s.dep, s.is_late, e.delay as v, e.landed as l, e.dep as d from @stg s
join @stg e on e.carrier = s.carrier) where l < dep group by all
-- leaky L002
select id, dep, is_late, avg(v) as x
from (select s.id, s.dep, s.is_late, e.delay as v, e.landed as l, e.dep as d from @stg s
join @stg e on e.carrier = s.carrier) where d < dep group by all

-- pair the_wrong_one_of_two_rows
-- honest
with p as (select a.carrier, a.delay as ad, a.landed as al, b.landed as bl from @stg a
join @stg b on a.tail = b.tail and a.dep <= b.dep) select s.id, s.dep, s.is_late, sum(p.ad) as x from @stg s
left join p on p.carrier = s.carrier and p.al < s.dep group by all
-- leaky L002
with p as (select a.carrier, a.delay as ad, a.landed as al, b.landed as bl from @stg a
join @stg b on a.tail = b.tail and a.dep >= b.dep) select s.id, s.dep, s.is_late, sum(p.ad) as x from @stg s
left join p on p.carrier = s.carrier and p.bl < s.dep group by all

-- pair two_sql_models
-- file pairs
with pairs as (select s.id, s.dep, s.is_late, e.delay as e_delay, e.landed as e_landed, e.dep as e_dep
from @stg as s left join @stg as e on e.carrier = s.carrier) select * from pairs
-- honest
select id, dep, is_late, avg(e_delay) as x from @pairs where e_landed < dep group by all
-- leaky L002
select id, dep, is_late, avg(e_delay) as x from @pairs where e_dep < dep group by all

-- pair a_view
-- file pairs
{{ config(materialized='view') }}with pairs as (select s.id, s.dep, s.is_late, e.delay as e_delay,
  e.landed as e_landed, e.dep as e_dep
from @stg as s left join @stg as e on e.carrier = s.carrier) select * from pairs
-- honest
select id, dep, is_late, avg(e_delay) as x from @pairs where e_landed < dep group by all
-- leaky L002
select id, dep, is_late, avg(e_delay) as x from @pairs where e_dep < dep group by all

-- pair an_ephemeral
-- file pairs
{{ config(materialized='ephemeral') }}with pairs as (select s.id, s.dep, s.is_late, e.delay as e_delay,
  e.landed as e_landed, e.dep as e_dep
from @stg as s left join @stg as e on e.carrier = s.carrier) select * from pairs
-- honest
select id, dep, is_late, avg(e_delay) as x from @pairs where e_landed < dep group by all
-- leaky L002
select id, dep, is_late, avg(e_delay) as x from @pairs where e_dep < dep group by all

-- pair a_macro_of_the_project
-- file macros/history.sql
{% macro history(known_at) %}select s.id, s.dep, s.is_late, avg(e.delay) as x from {{ ref('stg') }} as s
left join {{ ref('stg') }} as e on e.carrier = s.carrier and e.{{ known_at }} < s.dep
group by s.id, s.dep, s.is_late{% endmacro %}
-- honest
{{ history('landed') }}
-- leaky L002
{{ history('dep') }}

-- pair renamed_in_between
-- file ev
select carrier, delay as d, landed as l from @stg
-- honest
select s.id, s.dep, s.is_late, avg(e.d) as x from @stg as s
left join @ev as e on e.carrier = s.carrier and e.l < s.dep group by s.id, s.dep, s.is_late
-- leaky L002
-- file ev
select carrier, delay as d, dep as l from @stg

-- # Times computed from times

-- pair greatest
-- file ev
select carrier, delay, greatest(landed, dep) as known_at from @stg where landed is not null
-- honest
select s.id, s.dep, s.is_late, w.x as x from @stg as s
left join {{ known_window(rows=ref('stg'), row_key='id', key='carrier', at='dep', events=ref('ev'),
  known_at='known_at', within='2 days', aggregates={'x': 'avg(delay)'}) }} as w using (id)
-- leaky L002
-- file ev
select carrier, delay, least(landed, dep) as known_at from @stg where landed is not null

-- pair greatest_that_skips_nulls
-- file ev
select carrier, delay, greatest(landed, dep) as known_at from @stg where landed > booked
-- honest
select s.id, s.dep, s.is_late, w.x as x from @stg as s
left join {{ known_window(rows=ref('stg'), row_key='id', key='carrier', at='dep', events=ref('ev'),
  known_at='known_at', within='2 days', aggregates={'x': 'avg(delay)'}) }} as w using (id)
-- leaky L002
-- file ev
select carrier, delay, greatest(landed, dep) as known_at from @stg

-- pair the_later_of_two
-- file ev
select a.carrier, a.delay + b.delay as both, greatest(a.landed, b.landed) as known_at from @stg a
join @stg b on b.carrier = a.carrier and b.id > a.id where a.landed is not null and b.landed is not null
-- honest
select s.id, s.dep, s.is_late, w.x as x from @stg as s
left join {{ known_window(rows=ref('stg'), row_key='id', key='carrier', at='dep', events=ref('ev'),
  known_at='known_at', within='2 days', aggregates={'x': 'max(both)'}) }} as w using (id)
-- leaky L002
-- file ev
select a.carrier, a.delay + b.delay as both, a.landed as known_at from @stg a
join @stg b on b.carrier = a.carrier and b.id > a.id where a.landed is not null and b.landed is not null

-- pair some_time_after
-- file ev
select carrier, delay, landed + interval 2 hours as known_at from @stg
-- honest
select s.id, s.dep, s.is_late, w.x as x from @stg as s
left join {{ known_window(rows=ref('stg'), row_key='id', key='carrier', at='dep', events=ref('ev'),
  known_at='known_at', within='2 days', aggregates={'x': 'avg(delay)'}) }} as w using (id)
-- leaky L002
-- file ev
select carrier, delay, landed - interval 2 hours as known_at from @stg

-- pair last_of_a_group
-- file daily
select carrier, date(landed) as day, avg(delay) as m, max(landed) as last_landed, min(landed) as first_landed
from @stg where landed is not null group by carrier, date(landed)
-- honest
select s.id, s.dep, s.is_late, w.x as x from @stg as s
left join {{ asof_join(rows=ref('stg'), row_key='id', key='carrier', at='dep', events=ref('daily'),
  known_at='last_landed', columns={'x': 'm'}) }} as w using (id)
-- leaky L002
select s.id, s.dep, s.is_late, w.x as x from @stg as s
left join {{ asof_join(rows=ref('stg'), row_key='id', key='carrier', at='dep', events=ref('daily'),
  known_at='first_landed', columns={'x': 'm'}) }} as w using (id)

-- pair never_in_the_end
-- honest
select s.id, s.dep, s.is_late, avg(e.delay) as x from @stg as s
left join @stg as e on e.carrier = s.carrier and coalesce(e.landed, timestamp '9999-01-01') < s.dep
group by s.id, s.dep, s.is_late
-- leaky L002
select s.id, s.dep, s.is_late, avg(e.delay) as x from @stg as s
left join @stg as e on e.carrier = s.carrier and coalesce(e.landed, e.dep) < s.dep
group by s.id, s.dep, s.is_late

-- pair either_of_two_times
-- honest
select s.id, s.dep, s.is_late, avg(e.delay) as x from @stg as s
left join @stg as e on e.carrier = s.carrier and case when e.miles > 300 then e.landed else e.landed + interval 1
  hour end < s.dep
group by s.id, s.dep, s.is_late
-- leaky L002
select s.id, s.dep, s.is_late, avg(e.delay) as x from @stg as s
left join @stg as e on e.carrier = s.carrier and case when e.miles > 300 then e.landed else e.dep end < s.dep
group by s.id, s.dep, s.is_late

-- pair a_moment_before
-- honest
select s.id, s.dep, s.is_late, avg(e.delay) as x from @stg as s
left join @stg as e on e.carrier = s.carrier and e.landed < s.dep - interval 2 hours
group by s.id, s.dep, s.is_late
-- leaky L002
select s.id, s.dep, s.is_late, avg(e.delay) as x from @stg as s
left join @stg as e on e.carrier = s.carrier and e.landed < s.dep + interval 2 hours
group by s.id, s.dep, s.is_late

-- pair a_moment_in_a_sql_model
-- file moments
select id, carrier, dep - interval 2 hours as asked from @stg
-- honest
select s.id, s.dep, s.is_late, w.x as x from @stg as s
left join {{ known_window(rows=ref('moments'), row_key='id', key='carrier', at='asked', events=ref('stg'),
  known_at='landed', within='2 days', aggregates={'x': 'avg(delay)'}) }} as w using (id)
-- leaky L002
-- file moments
select id, carrier, dep + interval 2 hours as asked from @stg

-- pair the_day_of_the_moment
-- honest
select s.id, s.dep, s.is_late, avg(e.delay) as x from @stg as s
left join @stg as e on e.carrier = s.carrier and e.landed < date_trunc('day', s.dep)
group by s.id, s.dep, s.is_late
-- leaky L002
select s.id, s.dep, s.is_late, avg(e.delay) as x from @stg as s
left join @stg as e on e.carrier = s.carrier and e.landed < date_trunc('day', s.dep) + interval 1 day
group by s.id, s.dep, s.is_late

-- pair asked_before_departure
-- honest at asked
select s.id, s.dep as asked, s.is_late, avg(e.delay) as x from @stg as s
left join @stg as e on e.carrier = s.carrier and e.landed < s.dep group by s.id, s.dep, s.is_late
-- leaky L002 at asked
select s.id, s.dep - interval 6 hours as asked, s.is_late, avg(e.delay) as x from @stg as s
left join @stg as e on e.carrier = s.carrier and e.landed < s.dep group by s.id, s.dep, s.is_late

-- pair another_moment
-- honest at booked
select s.id, s.booked, s.is_late, avg(e.delay) as x from @stg as s
left join @stg as e on e.carrier = s.carrier and e.landed < s.booked group by s.id, s.booked, s.is_late
-- leaky L002 at booked
select s.id, s.booked, s.dep, s.is_late, avg(e.delay) as x from @stg as s
left join @stg as e on e.carrier = s.carrier and e.landed < s.dep group by s.id, s.booked, s.dep, s.is_late

-- pair event_time_that_is_cast
-- honest
select s.id, cast(s.dep as timestamp) as dep, s.is_late, avg(e.delay) as x from @stg as s
left join @stg as e on e.carrier = s.carrier and e.landed < s.dep group by s.id, s.dep, s.is_late
-- leaky L002
select s.id, cast(date(s.dep) as timestamp) as dep, s.is_late, avg(e.delay) as x from @stg as s
left join @stg as e on e.carrier = s.carrier and e.landed < s.dep group by s.id, s.dep, s.is_late

-- # Days

-- pair yesterday
-- file daily
select carrier, date(landed) as day, avg(delay) as m, max(landed) as last_landed, min(landed) as first_landed
from @stg where landed is not null group by carrier, date(landed)
-- honest
select s.id, s.dep, s.is_late, w.m as x from @stg as s
left join @daily as w on w.carrier = s.carrier and w.day = date_sub(date(s.dep), 1)
-- leaky L002
select s.id, s.dep, s.is_late, w.m as x from @stg as s
left join @daily as w on w.carrier = s.carrier and w.day = date(s.dep)

-- pair yesterday_by_date_add
-- file daily
select carrier, date(landed) as day, avg(delay) as m, max(landed) as last_landed, min(landed) as first_landed
from @stg where landed is not null group by carrier, date(landed)
-- honest
select s.id, s.dep, s.is_late, w.m as x from @stg as s
left join @daily as w on w.carrier = s.carrier and w.day = date_add(s.dep, -1)
-- leaky L002
select s.id, s.dep, s.is_late, w.m as x from @stg as s
left join @daily as w on w.carrier = s.carrier and w.day = date_add(s.dep, 0)

-- pair yesterday_of_departures
-- file daily
select carrier, date(landed) as day, avg(delay) as m, max(landed) as last_landed, min(landed) as first_landed
from @stg where landed is not null group by carrier, date(landed)
-- honest
select s.id, s.dep, s.is_late, w.m as x from @stg as s
left join @daily as w on w.carrier = s.carrier and w.day = date(s.dep) - interval 1 day
-- leaky L002
-- file daily
select carrier, date(dep) as day, avg(delay) as m, max(landed) as last_landed, min(landed) as first_landed
from @stg where landed is not null group by carrier, date(dep)

-- pair days_before
-- file daily
select carrier, date(landed) as day, avg(delay) as m, max(landed) as last_landed, min(landed) as first_landed
from @stg where landed is not null group by carrier, date(landed)
-- honest
select s.id, s.dep, s.is_late, sum(w.m) as x from @stg s
left join @daily w on w.carrier = s.carrier and w.day < date(s.dep) group by all
-- leaky L002
select s.id, s.dep, s.is_late, sum(w.m) as x from @stg s
left join @daily w on w.carrier = s.carrier and w.day <= date(s.dep) group by all

-- pair the_week_before
-- file daily
select carrier, date(landed) as day, avg(delay) as m, max(landed) as last_landed, min(landed) as first_landed
from @stg where landed is not null group by carrier, date(landed)
-- honest
select s.id, s.dep, s.is_late, sum(w.m) as x from @stg s
left join @daily w on w.carrier = s.carrier and w.day between date(s.dep) - 7 and date(s.dep) - 1 group by all
-- leaky L002
select s.id, s.dep, s.is_late, sum(w.m) as x from @stg s
left join @daily w on w.carrier = s.carrier and w.day between date(s.dep) - 7 and date(s.dep) group by all

-- pair end_of_the_day
-- file daily
select carrier, date(landed) as day, avg(delay) as m, max(landed) as last_landed, min(landed) as first_landed
from @stg where landed is not null group by carrier, date(landed)
-- file ends
select carrier, m, cast(date_add(day, 1) as timestamp) as day_end from @daily
-- honest
select s.id, s.dep, s.is_late, w.x as x from @stg as s
left join {{ asof_join(rows=ref('stg'), row_key='id', key='carrier', at='dep', events=ref('ends'),
  known_at='day_end', columns={'x': 'm'}) }} as w using (id)
-- leaky L002
-- file ends
select carrier, m, cast(date_add(day, 0) as timestamp) as day_end from @daily

-- pair days_by_truncation
-- honest
select s.id, s.dep, s.is_late, avg(e.delay) as x from @stg as s
left join @stg as e on e.carrier = s.carrier and date_trunc('day', e.landed) < date_trunc('day', s.dep)
group by s.id, s.dep, s.is_late
-- leaky L002
select s.id, s.dep, s.is_late, avg(e.delay) as x from @stg as s
left join @stg as e on e.carrier = s.carrier and date_trunc('day', e.landed) < s.dep
group by s.id, s.dep, s.is_late

-- pair days_by_coarser_truncation
-- honest
select s.id, s.dep, s.is_late, avg(e.delay) as x from @stg as s
left join @stg as e on e.carrier = s.carrier and date_trunc('hour', e.landed) < date_trunc('day', s.dep)
group by s.id, s.dep, s.is_late
-- leaky L002
select s.id, s.dep, s.is_late, avg(e.delay) as x from @stg as s
left join @stg as e on e.carrier = s.carrier and date_trunc('day', e.landed) < date_trunc('hour', s.dep)
group by s.id, s.dep, s.is_late

-- pair rolling_days
-- file daily
select carrier, date(landed) as day, avg(delay) as m, max(landed) as last_landed, min(landed) as first_landed
from @stg where landed is not null group by carrier, date(landed)
-- honest
select s.id, s.dep, s.is_late, w.x as x from @stg as s
left join (select *, avg(m) over (partition by carrier order by day rows between 7 preceding and 1 preceding) as x
from @daily) as w on w.carrier = s.carrier and w.day = date(s.dep)
-- leaky L002
select s.id, s.dep, s.is_late, w.x as x from @stg as s
left join (select *, avg(m) over (partition by carrier order by day rows between 7 preceding and current row) as x
from @daily) as w on w.carrier = s.carrier and w.day = date(s.dep)

-- pair rolling_days_in_a_sql_model
-- file daily
select carrier, date(landed) as day, avg(delay) as m, max(landed) as last_landed, min(landed) as first_landed
from @stg where landed is not null group by carrier, date(landed)
-- file rolling
select carrier, day, avg(m) over (partition by carrier order by day range between interval 7 days preceding and
  interval 1 day preceding) as x
from @daily
-- honest
select s.id, s.dep, s.is_late, w.x as x from @stg as s
left join @rolling as w on w.carrier = s.carrier and w.day = date(s.dep)
-- leaky L002
-- file rolling
select carrier, day, avg(m) over (partition by carrier order by day range between interval 7 days preceding and
  current row) as x
from @daily

-- pair the_day_before_by_lag
-- file daily
select carrier, date(landed) as day, avg(delay) as m, max(landed) as last_landed, min(landed) as first_landed
from @stg where landed is not null group by carrier, date(landed)
-- honest
select s.id, s.dep, s.is_late, w.x as x from @stg as s
left join (select *, lag(m) over (partition by carrier order by day) as x
from @daily) as w on w.carrier = s.carrier and w.day = date(s.dep)
-- leaky L002
select s.id, s.dep, s.is_late, w.x as x from @stg as s
left join (select *, avg(m) over (partition by carrier order by day) as x
from @daily) as w on w.carrier = s.carrier and w.day = date(s.dep)

-- # Windows

-- pair guarded_lag
-- honest
with p as (select *, lag(delay) over (partition by tail order by dep, id) as prev_delay,
  lag(landed) over (partition by tail order by dep, id) as prev_at
from @stg) select id, dep, is_late, case when prev_at < dep then prev_delay end as x from p
-- leaky L002
with p as (select *, lag(delay) over (partition by tail order by dep, id) as prev_delay,
  lag(dep) over (partition by tail order by dep, id) as prev_at
from @stg) select id, dep, is_late, case when prev_at < dep then prev_delay end as x from p

-- pair guarded_lag_of_the_same_select
-- honest
select id, dep, is_late, case when lag(landed) over w < dep then lag(delay) over w end as x from @stg
window w as (partition by tail order by dep, id)
-- leaky L002
select id, dep, is_late, case when lag(landed, 2) over w < dep then lag(delay) over w end as x from @stg
window w as (partition by tail order by dep, id)

-- pair guarded_lag_of_another_sql_model
-- file p
select *, lag(delay) over (partition by tail order by dep, id) as prev_delay,
  lag(landed) over (partition by tail order by dep, id) as prev_at
from @stg
-- honest
select id, dep, is_late, case when prev_at < dep then prev_delay end as x from @p
-- leaky L002
-- file p
select *, lag(delay) over (partition by tail order by dep, id) as prev_delay, lag(landed,
  2) over (partition by tail order by dep, id) as prev_at
from @stg

-- pair lag_of_a_struct
-- honest
select id, dep, is_late, case when p.landed < dep then p.delay end as x
from (select *, lag(struct(landed, dep as left_at, delay)) over (partition by tail order by dep, id) as p
from @stg)
-- leaky L002
select id, dep, is_late, case when p.left_at < dep then p.delay end as x
from (select *, lag(struct(landed, dep as left_at, delay)) over (partition by tail order by dep, id) as p
from @stg)

-- pair last_of_a_join
-- honest
select s.id, s.dep, s.is_late, e.delay as x from @stg s
left join @stg e on e.carrier = s.carrier and e.landed < s.dep
qualify row_number() over (partition by s.id order by e.landed desc, e.id) = 1
-- leaky L002
select s.id, s.dep, s.is_late, e.delay as x from @stg s
left join @stg e on e.carrier = s.carrier and e.dep < s.dep
qualify row_number() over (partition by s.id order by e.dep desc, e.id) = 1

-- pair max_by
-- honest
select s.id, s.dep, s.is_late, max_by(e.delay, e.landed) as x from @stg as s
left join @stg as e on e.carrier = s.carrier and e.landed < s.dep group by s.id, s.dep, s.is_late
-- leaky L002
select s.id, s.dep, s.is_late, max_by(e.delay, e.landed) as x from @stg as s
left join @stg as e on e.carrier = s.carrier and e.landed is not null group by s.id, s.dep, s.is_late

-- pair guarded_max_by
-- honest
select id, dep, is_late, if(l.landed < dep, l.delay, null) as x
from (select s.id, s.dep, s.is_late, max_by(struct(e.landed, e.dep as left_at, e.delay), e.dep) as l from @stg s
left join @stg e on e.tail = s.tail and e.dep < s.dep group by all)
-- leaky L002
select id, dep, is_late, if(l.left_at < dep, l.delay, null) as x
from (select s.id, s.dep, s.is_late, max_by(struct(e.landed, e.dep as left_at, e.delay), e.dep) as l from @stg s
left join @stg e on e.tail = s.tail and e.dep < s.dep group by all)

-- pair guarded_group
-- honest
select id, dep, is_late, case when last < dep then m end as x
from (select s.id, s.dep, s.is_late, avg(e.delay) as m, max(coalesce(e.landed, timestamp '9999-12-31')) as last
from @stg s left join @stg e on e.tail = s.tail and e.dep < s.dep group by all)
-- leaky L002
select id, dep, is_late, case when last < dep then m end as x
from (select s.id, s.dep, s.is_late, avg(e.delay) as m, min(coalesce(e.landed, timestamp '9999-12-31')) as last
from @stg s left join @stg e on e.tail = s.tail and e.dep < s.dep group by all)

-- pair having
-- honest
select s.id, s.dep, s.is_late, avg(e.delay) as x from @stg as s join @stg as e
on e.tail = s.tail and e.dep between s.dep - interval 20 hours and s.dep - interval 12 hours
group by s.id, s.dep, s.is_late having max(coalesce(e.landed, timestamp '9999-12-31')) < s.dep
-- leaky L002 L009
select s.id, s.dep, s.is_late, avg(e.delay) as x from @stg as s join @stg as e
on e.tail = s.tail and e.dep between s.dep - interval 20 hours and s.dep - interval 12 hours
group by s.id, s.dep, s.is_late having max(e.landed) < s.dep

-- pair running_mean_of_events
-- file ev
select carrier, landed, avg(delay) over (partition by carrier order by landed rows between unbounded preceding
  and current row) as r
from @stg where landed is not null
-- honest
select s.id, s.dep, s.is_late, w.x as x from @stg as s
left join {{ asof_join(rows=ref('stg'), row_key='id', key='carrier', at='dep', events=ref('ev'),
  known_at='landed', columns={'x': 'r'}) }} as w using (id)
-- leaky L002
-- file ev
select carrier, landed, avg(delay) over (partition by carrier order by dep rows between unbounded preceding and
  current row) as r
from @stg where landed is not null

-- pair running_mean_with_nulls_last
-- file ev
select carrier, landed, avg(delay) over (partition by carrier order by landed nulls last rows between unbounded
  preceding and current row) as r
from @stg
-- honest
select s.id, s.dep, s.is_late, w.x as x from @stg as s
left join {{ asof_join(rows=ref('stg'), row_key='id', key='carrier', at='dep', events=ref('ev'),
  known_at='landed', columns={'x': 'r'}) }} as w using (id)
-- leaky L002
-- file ev
select carrier, landed, avg(delay) over (partition by carrier order by landed nulls first rows between unbounded
  preceding and current row) as r
from @stg

-- pair running_mean_joined_by_hand
-- honest
with ev as (select carrier, landed, avg(delay) over (partition by carrier order by landed) as r from @stg
where landed is not null) select s.id, s.dep, s.is_late, max_by(ev.r, ev.landed) as x from @stg s
left join ev on ev.carrier = s.carrier and ev.landed < s.dep group by all
-- leaky L002 L005
with ev as (select carrier, landed,
  avg(delay) over (partition by carrier order by landed desc rows between unbounded preceding and current row) as r
from @stg where landed is not null) select s.id, s.dep, s.is_late, max_by(ev.r, ev.landed) as x from @stg s
left join ev on ev.carrier = s.carrier and ev.landed < s.dep group by all

-- pair rank
-- honest
select id, dep, is_late, rank() over (partition by carrier order by dep, miles) as x from @stg
-- leaky L002
select id, dep, is_late, rank() over (partition by carrier order by landed) as x from @stg

-- # Events and rows in one union

-- pair union_by_hand
-- honest
with u as (select id, carrier, dep as ts, is_late, true as is_row, cast(null as int) as v from @stg
union all select null, carrier, landed, null, false, delay from @stg
where landed is not null), w as (select *,
  avg(v) over (partition by carrier order by ts rows between unbounded preceding and 1 preceding) as x
from u) select id, ts as dep, is_late, x from w where is_row
-- leaky L002
with u as (select id, carrier, dep as ts, is_late, true as is_row, cast(null as int) as v from @stg
union all select null, carrier, dep, null, false, delay from @stg
where dep is not null), w as (select *,
  avg(v) over (partition by carrier order by ts rows between unbounded preceding and 1 preceding) as x
from u) select id, ts as dep, is_late, x from w where is_row

-- pair union_joined_back
-- honest
with u as (select id, carrier, dep as ts, is_late, true as is_row, cast(null as int) as v from @stg
union all select null, carrier, landed, null, false, delay from @stg
where landed is not null), w as (select *,
  avg(v) over (partition by carrier order by ts rows between unbounded preceding and 1 preceding) as x
from u) select s.id, s.dep, s.is_late, w.x from @stg s left join w using (id)
-- leaky L002
with u as (select id, carrier, dep as ts, is_late, true as is_row, cast(null as int) as v from @stg
union all select null, carrier, dep, null, false, delay from @stg
where dep is not null), w as (select *,
  avg(v) over (partition by carrier order by ts rows between unbounded preceding and 1 preceding) as x
from u) select s.id, s.dep, s.is_late, w.x from @stg s left join w using (id)

-- pair union_told_by_its_nulls
-- honest
with u as (select id, carrier, dep as ts, is_late, true as is_row, cast(null as int) as v from @stg
union all select null, carrier, landed, null, false, delay from @stg
where landed is not null), w as (select *,
  avg(v) over (partition by carrier order by ts rows between unbounded preceding and 1 preceding) as x
from u) select id, ts as dep, is_late, x from w where id is not null
-- leaky L002 L005
with u as (select id, carrier, dep as ts, is_late, true as is_row, cast(null as int) as v from @stg
union all select null, carrier, landed, null, false, delay from @stg
where landed is not null), w as (select *,
  avg(v) over (partition by carrier order by ts rows between 1 preceding and 1 following) as x
from u) select id, ts as dep, is_late, x from w where id is not null

-- pair union_of_events
-- file ev
select carrier, landed as at, delay as v from @stg union all select carrier, landed as at, delay * 2 as v
from @stg
-- honest
select s.id, s.dep, s.is_late, w.x as x from @stg as s
left join {{ known_window(rows=ref('stg'), row_key='id', key='carrier', at='dep', events=ref('ev'),
  known_at='at', within='2 days', aggregates={'x': 'max(v)'}) }} as w using (id)
-- leaky L002
-- file ev
select carrier, landed as at, delay as v from @stg union all select carrier, dep as at, delay * 2 as v from @stg

-- # The shipped macros

-- pair known_window
-- honest
select s.id, s.dep, s.is_late, w.x as x from @stg as s
left join {{ known_window(rows=ref('stg'), row_key='id', key='carrier', at='dep', events=ref('stg'),
  known_at='landed', within='2 days', aggregates={'x': 'avg(delay)'}) }} as w using (id)
-- leaky L002
select s.id, s.dep, s.is_late, w.x as x from @stg as s
left join {{ known_window(rows=ref('stg'), row_key='id', key='carrier', at='dep', events=ref('stg'),
  known_at='dep', within='2 days', aggregates={'x': 'avg(delay)'}) }} as w using (id)

-- pair asof_join
-- honest
select s.id, s.dep, s.is_late, w.x as x from @stg as s
left join {{ asof_join(rows=ref('stg'), row_key='id', key='carrier', at='dep', events=ref('stg'),
  known_at='landed', columns={'x': 'delay'}) }} as w using (id)
-- leaky L002
select s.id, s.dep, s.is_late, w.x as x from @stg as s
left join {{ asof_join(rows=ref('stg'), row_key='id', key='carrier', at='dep', events=ref('stg'), known_at='dep',
  columns={'x': 'delay'}) }} as w using (id)

-- pair count_of_chosen_events
-- file tardy
select carrier, landed, dep from @stg where delay > 15
-- honest
select s.id, s.dep, s.is_late, w.x as x from @stg as s
left join {{ known_window(rows=ref('stg'), row_key='id', key='carrier', at='dep', events=ref('tardy'),
  known_at='landed', within='2 days', aggregates={'x': 'count(*)'}) }} as w using (id)
-- leaky L002
select s.id, s.dep, s.is_late, w.x as x from @stg as s
left join {{ known_window(rows=ref('stg'), row_key='id', key='carrier', at='dep', events=ref('tardy'),
  known_at='dep', within='2 days', aggregates={'x': 'count(*)'}) }} as w using (id)

-- pair a_moment_too_late
-- honest
select s.id, s.dep, s.is_late, w.x as x from @stg as s
left join {{ known_window(rows=ref('stg'), row_key='id', key='carrier', at='dep - interval 1 hour',
  events=ref('stg'), known_at='landed', within='2 days', aggregates={'x': 'avg(delay)'}) }} as w using (id)
-- leaky L002
select s.id, s.dep, s.is_late, w.x as x from @stg as s
left join {{ known_window(rows=ref('stg'), row_key='id', key='carrier', at='dep + interval 1 hour',
  events=ref('stg'), known_at='landed', within='2 days', aggregates={'x': 'avg(delay)'}) }} as w using (id)

-- # Counts

-- pair count_of_joined_rows
-- honest
select s.id, s.dep, s.is_late, count(e.id) as x from @stg as s
left join @stg as e on e.carrier = s.carrier and e.delay > 15 and e.landed < s.dep
group by s.id, s.dep, s.is_late
-- leaky L002
select s.id, s.dep, s.is_late, count(e.id) as x from @stg as s
left join @stg as e on e.carrier = s.carrier and e.delay > 15 and e.dep < s.dep group by s.id, s.dep, s.is_late

-- pair sum_of_ones
-- honest
select s.id, s.dep, s.is_late, sum(1) as x from @stg as s
left join @stg as e on e.carrier = s.carrier and e.delay > 15 and e.landed < s.dep
group by s.id, s.dep, s.is_late
-- leaky L002
select s.id, s.dep, s.is_late, sum(1) as x from @stg as s
left join @stg as e on e.carrier = s.carrier and e.delay > 15 and e.dep < s.dep group by s.id, s.dep, s.is_late

-- pair count_of_a_chosen_cte
-- honest
with late as (select * from @stg where delay > 15) select s.id, s.dep, s.is_late, count(e.id) as x
from @stg as s left join late as e on e.carrier = s.carrier and e.landed < s.dep group by s.id, s.dep, s.is_late
-- leaky L002
with late as (select * from @stg where delay > 15) select s.id, s.dep, s.is_late, count(e.id) as x
from @stg as s left join late as e on e.carrier = s.carrier and e.dep < s.dep group by s.id, s.dep, s.is_late

-- # Arrays

-- pair filtered_array
-- honest
select id, dep, is_late, array_max(transform(filter(h, e -> e.landed < dep), e -> e.delay)) as x
from (select s.id, s.dep, s.is_late, collect_list(struct(e.landed, e.dep as left_at, e.delay)) as h from @stg s
left join @stg e on e.tail = s.tail group by all)
-- leaky L002
select id, dep, is_late, array_max(transform(filter(h, e -> e.left_at < dep), e -> e.delay)) as x
from (select s.id, s.dep, s.is_late, collect_list(struct(e.landed, e.dep as left_at, e.delay)) as h from @stg s
left join @stg e on e.tail = s.tail group by all)

-- pair exploded_array
-- honest
select id, dep, is_late, max(e.delay) as x
from (select s.id, s.dep, s.is_late, collect_list(struct(e.landed, e.dep as left_at, e.delay)) as h from @stg s
left join @stg e on e.tail = s.tail group by all) lateral view outer explode(h) t as e where e.landed < dep
group by all
-- leaky L002
select id, dep, is_late, max(e.delay) as x
from (select s.id, s.dep, s.is_late, collect_list(struct(e.landed, e.dep as left_at, e.delay)) as h from @stg s
left join @stg e on e.tail = s.tail group by all) lateral view outer explode(h) t as e where e.left_at < dep
group by all

-- # The row's own columns

-- pair own_column
-- honest
select id, dep, is_late, miles as x from @stg
-- leaky L001
select id, dep, is_late, delay as x from @stg

-- pair own_column_when_known
-- honest
select id, dep, is_late, case when landed < dep then delay end as x from @stg
-- leaky L001
select id, dep, is_late, case when landed > dep then delay end as x from @stg

-- pair own_rows_when_known
-- honest
select id, dep, is_late, delay as x from @stg where landed < dep
-- leaky L001
select id, dep, is_late, delay as x from @stg where booked < dep

-- pair coalesce
-- honest
select id, dep, is_late, coalesce(miles, 0) as x from @stg
-- leaky L001
select id, dep, is_late, coalesce(nullif(word, 'early'), status) as x from @stg

-- pair last_argument_of_greatest
-- honest
select id, dep, is_late, greatest(miles, 5) as x from @stg
-- leaky L001
select id, dep, is_late, greatest(miles % 30, delay) as x from @stg

-- pair condition_of_a_case
-- honest
select id, dep, is_late, case when miles > 300 then 1 else 0 end as x from @stg
-- leaky L001
select id, dep, is_late, case when delay > 15 then 1 else 0 end as x from @stg

-- # Looked up, grouped, sorted

-- pair looked_up
-- file words
select * from values ('early', 1), ('late', 2) as t(word, grade)
-- honest
select s.id, s.dep, s.is_late, w.grade as x from @stg as s left join @words as w on w.word = s.word
-- leaky L008
select s.id, s.dep, s.is_late, w.grade as x from @stg as s left join @words as w on w.word = s.status

-- pair looked_up_in_groups
-- honest
select s.id, s.dep, s.is_late, w.x as x from @stg as s left join (select word, avg(miles) as x from @stg
group by word) as w on w.word = s.word
-- leaky L008
select s.id, s.dep, s.is_late, w.x as x from @stg as s left join (select status, avg(miles) as x from @stg
group by status) as w on w.status = s.status

-- pair partitioned
-- honest
select id, dep, is_late, avg(miles) over (partition by word order by dep,
  id rows between unbounded preceding and 1 preceding) as x
from @stg
-- leaky L008
select id, dep, is_late, avg(miles) over (partition by status order by dep,
  id rows between unbounded preceding and 1 preceding) as x
from @stg

-- pair sorted
-- honest
select id, dep, is_late, lag(miles) over (partition by carrier order by dep, id) as x from @stg
-- leaky L008
select id, dep, is_late, lag(miles) over (partition by carrier order by landed, id) as x from @stg

-- pair looked_up_by_what_is_known
-- file words
select * from values ('early', 1), ('late', 2) as t(word, grade)
-- honest
select s.id, s.dep, s.is_late, max(w.grade) as x from @stg s
left join @stg e on e.carrier = s.carrier and e.landed < s.dep left join @words w on w.word = e.status
group by all
-- leaky L008
select s.id, s.dep, s.is_late, max(w.grade) as x from @stg s
left join @stg e on e.carrier = s.carrier and e.dep < s.dep left join @words w on w.word = e.status group by all

-- # Which rows there are

-- pair chosen_rows
-- honest
select id, dep, is_late, miles as x from @stg where miles > 300
-- leaky L009
select id, dep, is_late, miles as x from @stg where delay is not null

-- pair chosen_rows_above
-- file chosen
select * from @stg where miles > 300
-- honest
select id, dep, is_late, miles as x from @chosen
-- leaky L009
-- file chosen
select * from @stg where status = 'late'

-- pair semi_join
-- honest
select id, dep, is_late, miles as x from @stg s
left semi join @stg e on e.tail = s.tail and e.landed < s.dep and e.delay > 5
-- leaky L009
select id, dep, is_late, miles as x from @stg s
left semi join @stg e on e.tail = s.tail and e.dep < s.dep and e.delay > 5

-- pair inner_join
-- file words
select * from values ('early', 1), ('late', 2) as t(word, grade)
-- honest
select s.id, s.dep, s.is_late, s.miles as x from @stg s join @words w on w.word = s.word
-- leaky L009
select s.id, s.dep, s.is_late, s.miles as x from @stg s join @words w on w.word = s.status

-- pair mean_over_chosen_rows
-- honest
select s.id, s.dep, s.is_late, avg(e.miles) as x from @stg as s
left join @stg as e on e.carrier = s.carrier and e.delay > 15 and e.landed < s.dep
group by s.id, s.dep, s.is_late
-- leaky L009
select s.id, s.dep, s.is_late, avg(e.miles) as x from @stg as s
left join @stg as e on e.carrier = s.carrier and e.delay > 15 and e.dep < s.dep group by s.id, s.dep, s.is_late
