select id, order_date, datediff(order_date, lag(order_date) over (partition by user_id order by order_date)) as gap_days from raw_orders
---
with o as (select user_id, order_date, order_total from raw_orders where status != 'returned'), agg as (select user_id, max(order_date) as last_order, avg(order_total) as aov, stddev_pop(order_total) as sd from o group by user_id) select *, percent_rank() over (order by aov) as pr from agg
---
select year(order_date) as y, sum(order_total) as t, sum(sum(order_total)) over (order by year(order_date)) as running from raw_orders group by year(order_date)
---
select distinct payment_method, amount * fee_rate as fee, amount - amount * fee_rate as net, round(amount * fee_rate, 2) as fee2, cast(amount as decimal(10,2)) / 100 as dollars from raw_payments
---
select sku, explode(specs) from raw_products
---
select posexplode(tags) from raw_products
---
select sku, explode_outer(tags) as t from raw_products
---
select s.name, s.address.geo.lon, s.address['city'] as city from raw_stores s
---
select * from raw_orders o left semi join raw_payments p on p.order_id = o.id
---
select * from raw_stores cross join (select max(order_total) as mx from raw_orders)
---
select o.id, x.* from raw_orders o, lateral (select p.amount, p.paid_at from raw_payments p where p.order_id = o.id order by p.paid_at limit 1) x
---
select * from (select sku, type, price, weight_kg from raw_products) unpivot include nulls ((v1) for k in (price))
---
select * from (select sku, type, price from raw_products) pivot (max(price) for type in ('jaffle' as jaffle, 'drink' as drink))
---
with recursive t(n) as (select 1 union all select n + 1 from t where n < 10) select n from t
---
select session_id, count_if(event = 'view') as views, count_if(event = 'buy') / count(*) as rate, max(scroll) as depth, sum(scroll) as total, avg(scroll) as mean from clicks group by 1
---
select event_ts::date as d, hour(event_ts) between 9 and 17 as office, date_trunc('HOUR', event_ts) as h, event_ts at time zone 'UTC' as z from clicks
---
select * from readings where temperature > (select avg(temperature) from readings)
---
select sensor_id, collect_list(named_struct('t', measured_at, 'v', temperature)) as series from readings group by sensor_id
---
select sensor_id, avg(temperature) as a, min(day) as d from readings group by sensor_id with rollup
---
select grade, defaulted, count(*) from loans group by rollup(grade, defaulted) order by 1, 2
---
select case when principal > 10000 then 'big' else null end as size, case when defaulted then rate when fico > 700 then 0.05 else 0 end as r, if(defaulted, null, balance) as b, coalesce(closed, add_months(issued, term_months)) as end_d from loans
---
select grade, max(struct(principal, loan_id)) as top, max(struct(principal as p, loan_id as l)).l as top_id from loans group by grade
---
select loan_id, risk_flags[0] as f0, size(filter(risk_flags, x -> x like 'late%')) as n_late, array_contains(risk_flags, 'fraud') as fraud from loans
---
values (1, 'a'), (2, 'b')
---
select a.*, b.col2 from values (1, 2) as a(x, y) join values (1, 'b') as b on a.x = b.col1
---
table raw_stores
---
(select id from raw_orders) union (select id from raw_customers)
---
select id, sum(amount) as s from (select order_id as id, amount from raw_payments union all select id, subtotal from raw_orders) group by id
---
select array_sort(collect_list(order_total)) as xs, percentile(order_total, array(0.25, 0.75)) as qs, approx_percentile(order_total, 0.5) as ap, kurtosis(order_total) as k, sum(store_id) as ss, avg(store_id) as av, first(status) as f, last(status) as l from raw_orders
---
select to_json(map('a', 1)) as a, map('a', map('b', 1))['a']['b'] as b, array(1,2,3)[1] as c, struct(1 as x).x as d, named_struct('p', struct(1 as q)).p.q as e
---
select 10 / 3 as a, 10 % 3 as b, 10 div 3 as c, 10.0 / 3 as d, 1e1 / 3 as e, 2 * 3.5 as f, 1 - 0.1 as g, 5 / 2.0D as h, '3' + 4 as i, '3' * 1.5 as j, -'3' as k, 1 = 1.0 as l, +5 as m
---
select interval 1 day as a, interval '1 2' day to hour as b, interval 3 months as c, interval '10' second as d, interval 1 week as e, interval 1 day + interval 2 hours as f, interval 1 year + interval 1 month as g, interval '1' day * 2 as h
---
select date '2024-01-31' + interval 1 month as a, date '2024-01-31' - date '2024-01-01' as b, timestamp '2024-01-01' + interval 1 day as c, date '2024-01-01' + 5 as d, date_add(timestamp '2024-01-01', 1) as e, date '2024-01-01' + interval 5 hours as f, timestamp '2024-01-01' - date '2024-01-01' as g, current_date() - interval 1 year as h
---
select id as `id`, count(*) over () as `n rows` from raw_orders
---
select sum(amount) total, avg(amount) mean, payment_method m from raw_payments group by m
---
select *, order_total - tax_paid as pre_tax from raw_orders
---
select raw_orders.id, raw_orders.status from raw_orders
---
select first_name like 'A%' and marketing_opt_in as a, not marketing_opt_in as b, birth_date is null as c, birth_date < created_at as d, country_code in ('US', 'CA') as e, first_name <=> last_name as f, marketing_opt_in or false as g, id between 1 and 5 as h, marketing_opt_in is true as i from raw_customers
---
select floor(datediff(current_date(), birth_date) / 365.25) as age, floor(months_between(current_date(), birth_date) / 12) as age2, year(current_date()) - year(birth_date) as age3, int(age / 10) * 10 as bucket from raw_customers
---
select greatest(order_date, date '2020-01-01') as a, least(ordered_at, current_timestamp()) as b, greatest(subtotal, order_total) as c, least(1, 2L) as d from raw_orders
---
select regexp_like(url, 'a') as a, regexp_substr(url, 'a') as b, regexp_instr(url, 'a') as c, regexp_count(url, 'a') as d, url not like 'a' as e, lower(url) as f, rtrim(url) as g, right(url, 2) as h, locate('a', url) as i, char_length(url) as j, endswith(url, 'x') as k, concat('a', 1) as l, string(1) as m, reverse(url) as n, printf('%s', url) as o from clicks
---
select /*+ broadcast(s) */ o.id, s.tax_rate * o.order_total as tax from raw_orders o join raw_stores s on o.store_id = s.id
---
select o.id from raw_orders o join raw_stores s using (id)
---
select * from raw_payments p join (select id as order_id, status from raw_orders) o using (order_id)
---
select * from range(5)
---
select t.id * 2 as x from range(1, 10, 2) t
---
select * from explode(array(1, 2)) as t(x)
---
select col from explode(sequence(1, 3))
---
select id, min(order_date) over w as f, max(order_date) over w as l, count(*) over (w rows between 1 preceding and current row) as c from raw_orders window w as (partition by user_id order by order_date)
---
select sum(principal) / 1000000 as millions, sum(principal) / sum(balance) as r, sum(principal * rate * term_months) as x, avg(principal) * 1.1 as y, max(principal) - avg(principal) as z, round(avg(principal), 2) as rr, sum(principal) * 100.0 / sum(sum(principal)) over () as share from loans group by grade
---
select width_bucket(fico, 300, 850, 10) as wb, fico / 10 as a, fico div 10 as b, fico % 10 as c, fico + fico as d, fico * term_months as e, -fico as f, abs(fico) as g, round(fico, -1) as h, fico + 1 as i, fico / 2.0 as j, cast(fico as decimal(5,0)) as k, ceil(fico / 10) as l from loans
---
select visitor_id, aggregate(collect_list(scroll), cast(0 as bigint), (a, x) -> a + x) as s, array_max(transform(trail, x -> x.ms)) as m, trail.page as pages, trail.ms[0] as m0, named_struct('first', trail[0], 'n', size(trail)) as st from clicks group by visitor_id, trail
---
select id, status from raw_orders tablesample (10 percent)
---
select * from raw_orders order by ordered_at desc limit 5 offset 2
---
with t as (select 1 as a, 'x' as b) select * from t union all select * from t
---
select monotonically_increasing_id() as m, input_file_name() as f, spark_partition_id() as p, rand() < 0.5 as coin, current_user() as u, version() as v, current_timezone() as tz, typeof(1) as ty
