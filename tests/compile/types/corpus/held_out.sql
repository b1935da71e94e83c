with source as (
    select * from raw_customers
), renamed as (
    select id as customer_id, first_name || ' ' || last_name as customer_name, created_at, country_code from source
)
select * from renamed
---
with payments as (
    select id as payment_id, order_id, payment_method, amount / 100 as amount from raw_payments
), orders as (select * from raw_orders), order_payments as (
    select order_id,
        sum(case when payment_method = 'credit_card' then amount else 0 end) as credit_card_amount,
        sum(case when payment_method = 'coupon' then amount else 0 end) as coupon_amount,
        sum(amount) as total_amount
    from payments group by order_id
)
select orders.id as order_id, orders.user_id as customer_id, orders.order_date, orders.status,
    order_payments.credit_card_amount, order_payments.coupon_amount, order_payments.total_amount as amount
from orders left join order_payments on orders.id = order_payments.order_id
---
with customer_orders as (
    select user_id as customer_id, min(order_date) as first_order, max(order_date) as most_recent_order, count(id) as number_of_orders
    from raw_orders group by 1
), customer_payments as (
    select o.user_id as customer_id, sum(p.amount) as total_amount from raw_payments p left join raw_orders o on p.order_id = o.id group by o.user_id
)
select c.id as customer_id, c.first_name, c.last_name, co.first_order, co.most_recent_order, co.number_of_orders, cp.total_amount as customer_lifetime_value
from raw_customers c left join customer_orders co on c.id = co.customer_id left join customer_payments cp on c.id = cp.customer_id
---
select id as order_id, user_id as customer_id, subtotal / 100 as subtotal, tax_paid / 100 as tax, order_total * 1.0 as total, cast(ordered_at as date) as ordered_on, date_trunc('day', ordered_at) as ordered_day from raw_orders
---
select sku as product_id, name as product_name, type as product_type, (price / 100.0)::numeric(16, 2) as product_price, type = 'jaffle' as is_food_item, coalesce(type = 'beverage', false) as is_drink_item from raw_products
---
select o.*, row_number() over (partition by o.user_id order by o.ordered_at asc) as customer_order_number, count(*) over (partition by o.user_id) as n_orders from raw_orders as o
---
select store_id, date_trunc('month', ordered_at) as month, sum(order_total) as revenue, sum(order_total) - lag(sum(order_total)) over (partition by store_id order by date_trunc('month', ordered_at)) as delta, round(100 * sum(order_total) / sum(sum(order_total)) over (partition by date_trunc('month', ordered_at)), 2) as pct from raw_orders group by 1, 2
---
select i.order_id, sum(i.quantity * i.unit_price) as gross, sum(i.quantity * i.unit_price * (1 - i.discount)) as net, max(i.unit_price) as priciest, count_if(i.is_gift) as gifts, bool_or(i.is_gift) as has_gift, collect_set(i.sku) as skus from raw_items i group by i.order_id
---
select user_id, datediff(current_date(), max(order_date)) as recency, count(distinct id) as frequency, sum(order_total) as monetary, ntile(5) over (order by sum(order_total) desc) as m_score from raw_orders where status <> 'returned' group by user_id
---
select visitor_id, event_ts, case when unix_timestamp(event_ts) - unix_timestamp(lag(event_ts) over (partition by visitor_id order by event_ts)) > 1800 then 1 else 0 end as is_new_session from clicks
---
with flagged as (
  select visitor_id, event_ts, if(event_ts - lag(event_ts) over w > interval 30 minutes, 1, 0) as is_new from clicks window w as (partition by visitor_id order by event_ts)
)
select visitor_id, event_ts, sum(is_new) over (partition by visitor_id order by event_ts rows unbounded preceding) as session_number, concat(visitor_id, '-', sum(is_new) over (partition by visitor_id order by event_ts)) as session_key from flagged
---
select get_json_object(properties, '$.utm.source') as utm_source, properties:utm.medium as medium, from_json(properties, 'struct<a:int,b:array<double>,c:map<string,date>>') as parsed, json_array_length(properties) as n, json_object_keys(properties) as ks from clicks
---
select p.id, p.price, p.tags from (select visitor_id, from_json(properties, 'id BIGINT, price DECIMAL(9,2), tags ARRAY<STRING>') as p from clicks)
---
select session_id, max(event_ts) - min(event_ts) as duration, cast(max(event_ts) as long) - cast(min(event_ts) as long) as seconds, timestampdiff(MINUTE, min(event_ts), max(event_ts)) as minutes from clicks group by session_id
---
select visitor_id, step.page as page, step.ms / 1000 as seconds, pos from clicks lateral view posexplode(trail) s as pos, step
---
select visitor_id, size(trail) as steps, trail[0].page as landing, element_at(trail, -1).page as exit_page, aggregate(trail, 0L, (acc, t) -> acc + t.ms) as total_ms, transform(trail, t -> t.ms / 1000.0) as secs, filter(trail, t -> t.ms > 1000) as slow, exists(trail, t -> t.page = '/buy') as bought from clicks
---
select experiment['checkout'] as variant, map_keys(experiment) as names, map_filter(experiment, (k, v) -> v > 0) as active, transform_values(experiment, (k, v) -> v * 2.5) as scaled, cardinality(experiment) as n from clicks
---
select * from (select store_id, status, order_total from raw_orders) pivot (sum(order_total) for status in ('placed', 'shipped', 'returned'))
---
select * from (select year(order_date) as y, quarter(order_date) as q, order_total, subtotal from raw_orders) pivot (sum(order_total) as total, avg(subtotal) as mean for q in (1 as q1, 2 as q2, 3 as q3, 4 as q4)) order by y
---
select sensor_id, metric, value from readings unpivot (value for metric in (temperature as temp, humidity as hum))
---
select sensor_id, day, avg(temperature) as t, avg(pressure) as p, stddev(humidity) as h, percentile_approx(temperature, array(0.1, 0.5, 0.9)) as q, approx_count_distinct(status_bits) as bits from readings group by sensor_id, day
---
select sensor_id, window.start as w_start, window.end as w_end, avg(temperature) as mean_t from readings group by sensor_id, window(measured_at, '10 minutes', '5 minutes')
---
select sensor_id, measured_at, avg(temperature) over (partition by sensor_id order by measured_at range between interval 1 hour preceding and current row) as t_1h, first_value(pressure) over (partition by sensor_id, day order by measured_at) as open_p, last_value(pressure) over (partition by sensor_id, day order by measured_at rows between unbounded preceding and unbounded following) as close_p from readings
---
select sensor_id, status_bits & 4 as warn, status_bits | 1 as b, status_bits ^ 3 as x, ~status_bits as inv, shiftright(status_bits, 2) as sr, bit_count(status_bits) as ones, hex(payload) as hx, length(payload) as len, substring(payload, 1, 4) as head from readings
---
select array_max(window_values) as mx, array_min(window_values) as mn, aggregate(window_values, cast(0 as double), (a, x) -> a + x, a -> a / size(window_values)) as mean, slice(window_values, 1, 3) as firsts, array_sort(window_values) as sorted, zip_with(window_values, slice(window_values, 2, 100), (a, b) -> b - a) as diffs from readings
---
select loan_id, principal * rate as yearly, principal * rate / 12 as monthly, principal / term_months as linear, balance * rate as interest, balance / principal as ratio, principal - balance as repaid, principal + 0.5 as bumped, balance + balance as twice from loans
---
select grade, sum(principal) as s, avg(principal) as a, sum(balance) as sb, avg(rate) as ar, sum(principal * rate) as weighted, sum(principal * rate) / sum(principal) as wavg, min(rate) as mn, count(*) as n, avg(fico) as f, avg(cast(defaulted as int)) as default_rate from loans group by grade
---
select l.loan_id, months_between(coalesce(closed, current_date()), issued) as age, add_months(issued, term_months) as due_date, date_add(issued, 30) as first_due, last_day(issued) as eom, trunc(issued, 'YEAR') as y0, closed - issued as open_for, datediff(closed, issued) as days, issued + interval 3 months as q, make_date(year(issued), 1, 1) as jan from loans l
---
select loan_id, month, due, paid, due - paid as shortfall, sum(due - paid) over (partition by loan_id order by month) as arrears, max(late_days) over (partition by loan_id order by month rows between 3 preceding and 1 preceding) as worst_3m, avg(paid / nullif(due, 0)) over (partition by loan_id) as pay_ratio from payments_monthly
---
select case when fico >= 740 then 'prime' when fico >= 670 then 'near' else 'sub' end as band, case grade when 'A' then 1 when 'B' then 2.5 else 3 end as score, case when defaulted then principal else balance end as exposure, if(defaulted, 1, 0) as y, nvl(closed, date '9999-12-31') as end_date, greatest(principal, balance) as g, least(fico, term_months) as l, coalesce(rate, 0) as r0, coalesce(rate, 0.0) as r1 from loans
---
select user_id, 'order' as kind, ordered_at as at, order_total as value from raw_orders
union all
select order_id, 'payment', paid_at, amount from raw_payments
union all
select visitor_id, 'click', event_ts, scroll from clicks
---
select id, order_date from raw_orders intersect select id, birth_date from raw_customers
---
select sku from raw_products except select sku from raw_items
---
select c.id, c.first_name, o.n, o.total from raw_customers c left join lateral (select count(*) as n, sum(order_total) as total from raw_orders where user_id = c.id) o on true
---
select country_code, marketing_opt_in, count(*) as n, grouping(country_code) as g, grouping_id() as gid from raw_customers group by cube(country_code, marketing_opt_in)
---
select store_id, status, year(order_date) as y, sum(order_total) as total from raw_orders group by grouping sets ((store_id, status), (store_id), ()) , year(order_date)
---
select store_id, status, sum(subtotal) as s from raw_orders group by all having sum(subtotal) > 100
---
select price * 1.2 as with_tax, with_tax - price as tax, round(with_tax, 0) as rounded, tax / price as rate from raw_products
---
select address.city, address.geo.lat as lat, address.geo, struct(address.geo.*) as s2, named_struct('id', id, 'where', address.city) as ns, to_json(address) as j, address.* from raw_stores
---
select upper(first_name) as u, initcap(last_name) as i, length(first_name) as n, left(first_name, 1) as initial, substr(last_name, 2) as rest, replace(last_name, '-', ' ') as r, regexp_replace(last_name, '[^a-z]', '') as rr, split(first_name, ' ')[0] as f0, instr(last_name, 'x') as p, lpad(cast(id as string), 8, '0') as padded, concat_ws(' ', first_name, last_name) as full, format_string('%s-%d', first_name, id) as fs, soundex(last_name) as sx, levenshtein(first_name, last_name) as lev from raw_customers
---
select sku, explode(tags) as tag from raw_products
---
select sku, key, value from raw_products lateral view explode(specs) as key, value
---
select sku, tag, count(*) as n from raw_products lateral view outer explode(tags) t as tag group by sku, tag
---
select tag, count(distinct sku) as n, array_agg(sku) as skus, array_join(sort_array(collect_set(type)), ',') as types from raw_products, lateral explode(tags) as x(tag) group by tag
---
select array_contains(tags, 'new') as is_new, size(tags) as n_tags, array_distinct(tags) as dt, array_union(tags, array('x')) as u, array_intersect(tags, array('a', 'b')) as it, tags[0] as t0, try_element_at(tags, 3) as t3, element_at(specs, 'color') as color, map_entries(specs) as es, arrays_overlap(tags, array('z')) as ov, concat(tags, array('k')) as cc, array_position(tags, 'q') as ap from raw_products
---
select sku, cast(price as decimal(10, 2)) as p, price % 7 as m, price div 10 as d, -price as neg, price / 0.5 as half, pow(price, 2) as sq, sqrt(price) as rt, ln(price + 1) as lp, exp(weight_kg) as e, round(weight_kg, 1) as w, ceil(weight_kg) as cw, floor(weight_kg / 2) as fw, abs(weight_kg) as aw, sign(weight_kg) as sg, log(10, weight_kg) as lg, bround(weight_kg) as br from raw_products
---
select hash(sku, name) as h, abs(hash(sku)) % 100 as bucket, md5(sku) as m, sha2(concat(sku, name), 256) as s, xxhash64(sku) as x, crc32(sku) as c, pmod(xxhash64(sku), 10) as fold from raw_products
---
select date_format(ordered_at, 'yyyy-MM') as ym, year(ordered_at) as y, month(order_date) as m, dayofweek(order_date) as dow, weekofyear(order_date) as w, hour(ordered_at) as h, extract(dow from ordered_at) as d2, extract(epoch from ordered_at) as ep, date_part('hour', ordered_at) as h2, to_date(ordered_at) as d, next_day(order_date, 'Mon') as nm, date_sub(order_date, 7) as prev, order_date + 1 as nd, order_date - interval '1' day as pd, ordered_at + interval 2 hours as later, dateadd(month, 1, order_date) as dm, date_diff(order_date, date '2020-01-01') as dd, unix_millis(ordered_at) as ms from raw_orders
---
select to_timestamp('2024-01-01 10:00', 'yyyy-MM-dd HH:mm') as a, to_date('20240101', 'yyyyMMdd') as b, from_unixtime(1700000000) as c, timestamp_millis(1700000000000) as d, to_utc_timestamp(ordered_at, 'Europe/Paris') as e, convert_timezone('UTC', 'America/New_York', cast(ordered_at as timestamp_ntz)) as f, make_timestamp(2024, 1, 2, 3, 4, 5.5) as g, current_timestamp() as h, current_date as i, date '2024-01-01' as j, timestamp '2024-01-01 00:00:00' as k, interval '2-3' year to month as l, make_interval(1, 2) as m, make_dt_interval(1, 2, 3) as n from raw_orders
---
select local_ts, local_ts + interval 1 day as nxt, cast(local_ts as timestamp) as ltz, date_trunc('hour', local_ts) as hr, hour(local_ts) as h, local_ts - local_ts as diff, event_ts - local_ts as mixed, cast(local_ts as date) as d, to_timestamp_ntz('2024-01-01 00:00:00') as lit from clicks
---
select parse_url(url, 'HOST') as host, parse_url(url, 'QUERY', 'utm_source') as src, split_part(url, '/', 3) as part, url like '%checkout%' as is_checkout, url rlike 'p/[0-9]+' as is_product, regexp_extract(url, 'p/([0-9]+)', 1) as pid, cast(regexp_extract(url, 'p/([0-9]+)') as int) as pidn, regexp_extract_all(url, '([a-z]+)') as words, url ilike any ('%a%', '%b%') as ia, substring_index(url, '/', -1) as slug, url_decode(url) as dec, position('x' in url) as px from clicks
---
select visitor_id, collect_list(event) over (partition by visitor_id order by event_ts rows between 4 preceding and current row) as last5, count(*) filter (where event = 'buy') over (partition by visitor_id) as buys, max(case when event = 'buy' then event_ts end) over (partition by visitor_id order by event_ts) as last_buy from clicks
---
select visitor_id, max_by(url, event_ts) as last_url, min_by(struct(url, event), event_ts) as first_hit, first(url, true) as f, any_value(event) as a, mode(event) as md, count(distinct event) as ne, listagg(event, ',') within group (order by event_ts) as path, histogram_numeric(scroll, 10) as hist, approx_percentile(scroll, 0.9) as p90, median(scroll) as med, try_avg(scroll) as ta from clicks group by visitor_id
---
with recursive_like as (select explode(sequence(date '2024-01-01', date '2024-12-31', interval 1 day)) as day)
select day, dayname(day) as dn, weekday(day) >= 5 as is_weekend, date_format(day, 'yyyyMMdd') as key, cast(date_format(day, 'yyyyMMdd') as int) as date_key, last_day(day) = day as is_eom from recursive_like
---
select d.day, s.id as store_id, coalesce(sum(o.order_total), 0) as revenue, count(o.id) as n from (select explode(sequence(to_date('2024-01-01'), to_date('2024-01-31'))) as day) d cross join raw_stores s left join raw_orders o on o.store_id = s.id and o.order_date = d.day group by d.day, s.id
---
select * from values (1, 'one', 1.5), (2, 'two', cast(null as double)) as t(a, b, c)
---
select t.a + 1 as x, t.* from values (1L, array(1)), (2L, array()) t(a, b)
---
select id, id % 10 as bucket, cast(id as double) / 100 as f, rand(42) as r, randn() as g, uuid() as u from range(0, 100)
---
select user_id, exists(select 1 from raw_payments p where p.order_id = o.id) as is_paid, (select sum(amount) from raw_payments p where p.order_id = o.id) as paid, o.order_total > (select avg(order_total) from raw_orders) as above, o.store_id in (select id from raw_stores) as known_store from raw_orders o
---
select * except (status, store_id) from raw_orders
---
select o.* except (id), c.* except (id, created_at), c.id as cid from raw_orders o join raw_customers c on o.user_id = c.id
---
select order_id, o.status, i.sku, p.payment_method from raw_items i join (select id as order_id, status from raw_orders) o using (order_id) left join raw_payments p using (order_id)
---
select * from (select order_id, sku from raw_items) natural join (select order_id, amount from raw_payments)
---
select c.* from raw_customers c left anti join raw_orders o on c.id = o.user_id
---
select coalesce(a.store_id, b.id) as sid, a.n, b.name from (select store_id, count(*) as n from raw_orders group by store_id) a full outer join raw_stores b on a.store_id = b.id
---
select * from (select store_id, sum(order_total) as t from raw_orders group by store_id) full join (select id as store_id, tax_rate from raw_stores) using (store_id)
---
select try_cast(status as int) as a, cast(order_total as int) as b, cast(order_total as string) as c, bigint(store_id) as d, string(order_date) as e, double(order_total) as f, boolean(status) as g, cast(order_date as timestamp) as h, cast(1 as tinyint) as i, cast('1' as decimal(3,1)) as j, order_total::float as k, cast(array(1, 2) as array<string>) as l, cast(named_struct('a', 1) as struct<b:bigint>) as m, decimal('12.3') as n, cast(null as map<string, array<int>>) as o from raw_orders
---
select try_divide(subtotal, store_id) as a, try_add(subtotal, 1) as b, try_subtract(order_date, 1) as c, try_multiply(order_total, 2) as d, try_to_number(status, '99.9') as e, try_to_date(status) as f, try_sum(order_total) over () as g, nullif(subtotal, 0) as h, nvl2(status, 1, 2L) as i, ifnull(tax_paid, 0) as j, isnull(status) as k, nanvl(1.5D, 0) as l, zeroifnull(subtotal) as m from raw_orders
---
select corr(temperature, humidity) as c, covar_pop(temperature, humidity) as cp, regr_slope(humidity, temperature) as sl, regr_r2(humidity, temperature) as r2, var_pop(temperature) as vp, skewness(humidity) as sk, kurtosis(humidity) as ku, bit_or(status_bits) as bo, percentile(humidity, 0.5) as p, percentile_cont(0.25) within group (order by humidity) as pc, percentile_disc(0.75) within group (order by temperature) as pd, sum(distinct status_bits) as sd from readings
---
select sensor_id, day, temperature - avg(temperature) over w as anomaly, (temperature - avg(temperature) over w) / nullif(stddev_samp(temperature) over w, 0) as z, rank() over (partition by day order by temperature desc) as r, dense_rank() over (order by day) as dr, percent_rank() over (partition by day order by humidity) as pr, cume_dist() over (order by humidity) as cd, lead(pressure, 1, 0) over (partition by sensor_id order by measured_at) as np, nth_value(humidity, 2) over w as nv from readings window w as (partition by sensor_id)
---
with daily as (select sensor_id, day, avg(temperature) as t from readings group by sensor_id, day),
ranked as (select *, row_number() over (partition by sensor_id order by t desc) as rn from daily qualify rn <= 3)
select sensor_id, collect_list(struct(day, t)) as hottest from ranked group by sensor_id
---
select sensor_id, map_from_entries(collect_list(struct(day, temperature))) as by_day, map_from_arrays(collect_list(day), collect_list(humidity)) as hum, map('n', count(*), 'm', 2) as counts, str_to_map('a:1,b:2') as sm, map_concat(map(1, 'a'), map(2, 'b')) as mc from readings group by sensor_id
---
select stack(2, 'temp', temperature, 'hum', humidity) as (metric, value), sensor_id from readings
---
select sensor_id, inline(arrays_zip(window_values, sequence(1, size(window_values)))) from readings
---
select inline(array(struct(1, 'a'), struct(2, 'b'))) as (num, letter)
---
select visitor_id, j.* from clicks lateral view json_tuple(properties, 'a', 'b') j as a, b
---
select schema_of_json('{"a": 1}') as s, to_json(struct(visitor_id, event)) as j, to_json(trail) as t, from_json('[1,2]', 'array<int>') as arr, from_csv('1,2', 'a int, b double') as c, to_csv(struct(visitor_id, event)) as csv, parse_json(properties) as v, variant_get(parse_json(properties), '$.a', 'int') as vg, try_variant_get(parse_json(properties), '$.b', 'string') as tvg, parse_json(properties):a.b::double as vd from clicks
---
select 1 as a, -1 as b, 2147483648 as c, 1.50 as d, .5 as e, 1e2 as f, 1D as g, 1F as h, 1S as i, 1Y as j, 1L as k, 12.3BD as l, 'x' as m, true as n, null as o, X'1A' as p, 12345678901234567890 as q, 0.001 as r, 100.00 as s, -2147483648 as t
---
select a + b as ab, a * b as prod, a / b as q, a - b as d, a % b as m, b / a as r from (select cast(1 as decimal(38,18)) as a, cast(2 as decimal(38,6)) as b)
---
select sum(x) as s, avg(x) as a, max(x) * 2 as m, sum(x) / count(*) as r, sum(x) * 1.5 as t from (select cast(1 as decimal(38,18)) as x)
---
select sum(interval_col) as total, avg(interval_col) as mean, max(interval_col) as mx, interval_col * 2 as twice, interval_col / 3 as third, extract(hour from interval_col) as h from (select ordered_at - timestamp '2024-01-01' as interval_col from raw_orders) group by interval_col
---
select u.id, u.gender_guess, count(o.id) as n from (select id, case when first_name like '%a' then 'f' end as gender_guess from raw_customers) u join raw_orders o on o.user_id = u.id group by u.id, u.gender_guess having count(o.id) > 2 order by n desc limit 10
---
select date_trunc('week', order_date) as wk, sum(subtotal) / 100.0 as rev, sum(subtotal) * 0.01 as rev2, avg(subtotal) as m, sum(subtotal) / count(distinct user_id) as arpu, round(sum(subtotal) / 100, 2) as r2, round(avg(order_total), 2) as aov, round(order_total_sum / n, 1) as x from (select *, sum(order_total) over () as order_total_sum, count(*) over () as n from raw_orders) group by date_trunc('week', order_date), order_total_sum, n
---
with cohort as (select user_id, date_trunc('month', min(ordered_at)) as cohort_month from raw_orders group by user_id), activity as (select o.user_id, c.cohort_month, cast(floor(months_between(date_trunc('month', o.ordered_at), c.cohort_month)) as int) as month_number from raw_orders o join cohort c using (user_id))
select cohort_month, month_number, count(distinct user_id) as users, first_value(count(distinct user_id)) over (partition by cohort_month order by month_number) as base, count(distinct user_id) / first_value(count(distinct user_id)) over (partition by cohort_month order by month_number) as retention from activity group by cohort_month, month_number
---
select p.type, percentile_approx(i.unit_price, 0.5, 100) as med, sum(i.quantity) as q, sum(i.discount) as d, avg(i.discount) as ad, sum(i.unit_price * i.quantity) / sum(i.quantity) as vwap, max(i.unit_price) - min(i.unit_price) as spread, count(*) / sum(count(*)) over () as share from raw_items i join raw_products p on i.sku = p.sku group by p.type
---
select transform(tags, t -> upper(t)) as up, transform(tags, (t, i) -> struct(i, t)) as idx, filter(tags, (t, i) -> i % 2 = 0) as evens, forall(tags, t -> length(t) < 10) as short, reduce(transform(tags, t -> length(t)), 0, (a, x) -> a + x) as chars, array_sort(tags, (l, r) -> case when length(l) < length(r) then -1 else 1 end) as by_len, map_from_arrays(tags, transform(tags, t -> length(t))) as lens, flatten(array(tags, tags)) as fl, array_repeat('x', 3) as rep, array_except(tags, array('a')) as ex, arrays_zip(tags, tags) as az, transform_keys(specs, (k, v) -> concat(k, '!')) as tk, map_zip_with(specs, specs, (k, a, b) -> concat(a, b)) as mz from raw_products
---
select l.loan_id, l.principal, m.n_late, m.max_late, m.paid_total, l.principal - coalesce(m.paid_total, 0) as outstanding, coalesce(m.paid_total, 0) / l.principal as paid_share, l.principal * power(1 + l.rate / 12, l.term_months) as compound from loans l left join (select loan_id, count_if(late_days > 30) as n_late, max(late_days) as max_late, sum(paid) as paid_total from payments_monthly group by loan_id) m using (loan_id)
---
select loan_id, cast(principal * rate * datediff(closed, issued) / 365 as decimal(18,2)) as accrued, cast(principal as double) * cast(rate as double) as approx, principal * (1 + rate) as p1, (principal + 100) / 12 as p2, rate * 100 as pct, round(rate * 100, 1) as pct1, ceil(principal) as c, floor(balance) as f, principal % 1000 as m, -principal as neg, abs(balance) as ab, sqrt(principal) as sq, principal > balance as gt, mod(principal, 3) as md, principal div 100 as idv from loans
---
select array(1, 2.5, 3D) as a, array(1, null) as b, array('a', 1) as c, map('a', 1, 'b', 2.0) as m, struct(1, 'x' as y) as s, array(array(1), array(2L)) as n, array(date '2024-01-01', timestamp '2024-01-01 00:00:00') as dt, array(named_struct('a', 1), named_struct('a', 2.5)) as st, array() as e, map() as em, named_struct('x', array(1)) as ns
---
select coalesce(null, 1, 2.5) as a, coalesce('a', 'b') as b, coalesce(order_date, ordered_at) as c, if(true, store_id, subtotal) as d, case when true then 1 when false then 2L else 3.0 end as e, case when true then 'x' else 1 end as f, greatest(1, 2.5, 3D) as g, nvl(store_id, 0.5) as h, coalesce(order_total, subtotal) as i, coalesce(tax_paid, order_total) as j, if(store_id > 1, order_total, 1.5D) as k, nullif(order_total, 0) as l from raw_orders
---
from raw_orders |> where status = 'placed' |> aggregate sum(order_total) as total, count(*) as n group by store_id |> order by total desc
---
from raw_orders |> extend order_total * 2 as dbl |> select id, dbl, status |> limit 10
---
select id, first_name as `First Name`, `last_name` as surname, birth_date as BirthDate from raw_customers as `c`
---
select date_trunc('quarter', order_date) as q, sum(case when status = 'returned' then 1 else 0 end) / count(*) as return_rate, sum(if(status = 'returned', order_total, 0)) as returned, sum(cast(status = 'returned' as int)) as nr, avg(if(status = 'returned', 1.0, 0.0)) as rr, count(case when status = 'placed' then 1 end) as placed, max(order_date) filter (where status = 'returned') as last_return from raw_orders group by all
---
select (select max(measured_at) from readings) as latest, (select count(*) from clicks) as n_clicks, (select avg(order_total) from raw_orders) as aov
---
select encode(event, 'utf-8') as b, decode(encode(event, 'utf-8'), 'utf-8') as s, base64(encode(event, 'utf-8')) as b64, unbase64('YQ==') as ub, unhex('1A') as uh, ascii(event) as asc, chr(65) as ch, bin(13) as bi, conv('ff', 16, 10) as cv, space(3) as sp, repeat(event, 2) as rp, translate(event, 'ab', 'cd') as tr, overlay(event placing 'x' from 1) as ov, octet_length(event) as ol, bit_length(event) as bl, char_length(event) as cl, find_in_set('a', 'a,b') as fs, elt(1, 'a', 'b') as el, format_number(1234.5, 2) as fn, to_char(12, '99') as tc, btrim(event) as bt, trim(both 'x' from event) as tb, randstr(5, 1) as rs, sentences(event) as se, mask(event) as mk, startswith(event, 'a') as sw, contains(event, 'b') as co from clicks
---
select session_id, event_ts, lag(event_ts, 1) over s as prev_ts, event_ts - lag(event_ts, 1) over s as gap, unix_timestamp(event_ts) as uts, bigint(event_ts) as ets, double(event_ts) as dts, (bigint(event_ts) - bigint(lag(event_ts) over s)) / 60 as gap_min, coalesce(lag(event) over s, 'start') as prev_event, lead(event, 2, 'none') over s as next2 from clicks window s as (partition by session_id order by event_ts)
---
with a as (select 1 as x union all select 2.5), b as (select 'a' as x union select 'b'), c as (select null as x union all select 3L), d as (select date '2024-01-01' as x union all select timestamp '2024-01-01 00:00:00') select a.x as ax, b.x as bx, c.x as cx, d.x as dx from a, b, c, d
---
select cast(sum(order_total) over (partition by user_id order by order_date rows between unbounded preceding and current row) as decimal(18,2)) as running, sum(order_total) over (partition by user_id order by order_date) / count(*) over (partition by user_id order by order_date) as running_avg, max(order_total) over (order by order_date rows between 6 preceding and current row) as max7, order_total / sum(order_total) over (partition by store_id) as share, row_number() over (partition by user_id order by order_date) % 2 as odd, avg(subtotal) over (order by order_date rows between 2 preceding and 2 following) as smooth from raw_orders
