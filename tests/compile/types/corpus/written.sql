-- SQL as people write it: staging and marts, sessions, funnels, JSON, higher-order functions, pivots, pipelines. Between two: ---
with source as (select * from raw_customers),
renamed as (
  select id as customer_id, first_name, last_name, concat_ws(' ', first_name, last_name) as full_name, birth_date,
    floor(months_between(current_date(), birth_date) / 12) as age, created_at::date as created_on, upper(country_code) as country,
    coalesce(marketing_opt_in, false) as opted_in, sha2(concat(first_name, '|', last_name), 256) as person_hash
  from source
)
select * from renamed
---
with orders as (select * from raw_orders), payments as (select order_id, payment_method, amount / 100 as amount from raw_payments),
order_payments as (
  select order_id,
    sum(case when payment_method = 'credit_card' then amount else 0 end) as credit_card_amount,
    sum(case when payment_method = 'coupon' then amount else 0 end) as coupon_amount,
    sum(case payment_method when 'gift_card' then amount end) as gift_card_amount,
    sum(amount) as total_amount
  from payments group by order_id
)
select o.id as order_id, o.user_id as customer_id, o.order_date, o.status, op.* except (order_id)
from orders o left join order_payments op on op.order_id = o.id
---
select customer_id, count(*) as orders, sum(order_total) as ltv, percentile_approx(order_total, 0.5) as median_order, approx_count_distinct(store_id) as stores, min_by(store_id, ordered_at) as first_store, any_value(status) as some_status, mode(status) as usual, bool_or(status = 'returned') as ever_returned, every(tax_paid > 0) as always_taxed
from (select user_id as customer_id, * except (user_id) from raw_orders) t
group by customer_id
---
with gaps as (
  select visitor_id, event_ts, event, lag(event_ts) over (partition by visitor_id order by event_ts) as prev_ts from clicks
), flags as (
  select *, case when prev_ts is null or event_ts - prev_ts > interval 30 minutes then 1 else 0 end as is_new,
    (unix_timestamp(event_ts) - unix_timestamp(prev_ts)) / 60 as gap_min, event_ts - prev_ts as gap
  from gaps
), numbered as (
  select *, sum(is_new) over (partition by visitor_id order by event_ts rows unbounded preceding) as session_no from flags
)
select visitor_id, session_no, concat(visitor_id, '-', session_no) as session_key, min(event_ts) as started, max(event_ts) as ended,
  max(event_ts) - min(event_ts) as length, count(*) as events, collect_list(event) as path, count(*) filter (where event = 'purchase') as purchases, avg(gap_min) as mean_gap, max(gap) as widest, sum(gap) as total_gap, avg(gap) as avg_gap
from numbered group by visitor_id, session_no
---
select session_window.start as s, session_window.end as e, visitor_id, count(*) as n from clicks group by session_window(event_ts, '30 minutes'), visitor_id
---
with steps as (
  select visitor_id, min(if(event = 'view', event_ts, null)) as viewed, min(case when event = 'cart' then event_ts end) as carted, min(event_ts) filter (where event = 'buy') as bought from clicks group by all
)
select date_trunc('week', viewed) as week, count(viewed) as views, count(carted) as carts, count_if(carted > viewed) as ordered_carts, count(bought) / nullif(count(viewed), 0) as conversion, try_divide(count(bought), count(carted)) as cart_conv, avg(timestampdiff(MINUTE, viewed, bought)) as mean_min, percentile_cont(0.9) within group (order by timestampdiff(SECOND, viewed, carted)) as p90
from steps group by 1
---
select session_id, from_json(properties, 'a INT, b STRUCT<c: STRING, d: ARRAY<DOUBLE>>') as p, from_json(properties, 'a INT, b STRUCT<c: STRING, d: ARRAY<DOUBLE>>').b.d[0] as d0, get_json_object(properties, '$.a') as a, cast(get_json_object(properties, '$.n') as int) as n, json_array_length(properties) as len, json_object_keys(properties) as ks, to_json(struct(session_id, scroll)) as js, schema_of_json('{"a":1}') as sch
from clicks
---
select visitor_id, t.a, t.b from clicks lateral view json_tuple(properties, 'a', 'b') t as a, b
---
select session_id, parse_json(properties) as v, parse_json(properties):a.b::int as ab, variant_get(parse_json(properties), '$.price', 'decimal(10,2)') as price, try_variant_get(parse_json(properties), '$.x', 'array<int>') as xs, is_variant_null(parse_json(properties)) as isn, schema_of_variant(parse_json(properties)) as sov, to_json(parse_json(properties)) as back
from clicks
---
select v.key, v.value, v.pos from clicks, lateral variant_explode(parse_json(properties)) as v
---
select sku, tags[0] as first_tag, element_at(tags, -1) as last_tag, size(tags) as n, cardinality(specs) as m, array_contains(tags, 'x') as has_x, transform(tags, (x, i) -> concat(i, x)) as numbered, filter(tags, x -> length(x) > 3) as long_tags, aggregate(tags, 0, (acc, x) -> acc + length(x)) as chars, aggregate(tags, cast(0 as bigint), (acc, x) -> acc + length(x), acc -> acc / 2) as half, exists(tags, t -> t like 'a%') as any_a, forall(tags, t -> t is not null) as all_set, zip_with(tags, array(1, 2), (a, b) -> named_struct('t', a, 'n', b)) as zipped, array_join(tags, ',') as joined, array_distinct(tags) as uniq, arrays_zip(tags, array(1.5, 2.5)) as az, flatten(array(tags, tags)) as fl, sequence(1, 5) as sq, array_position(tags, 'a') as ap, slice(tags, 1, 2) as sl, array_sort(tags, (l, r) -> case when length(l) < length(r) then -1 else 1 end) as sorted
from raw_products
---
select map_keys(specs) as ks, map_values(specs) as vs, map_entries(specs) as es, specs['color'] as color, map_filter(specs, (k, v) -> v != '') as nonempty, transform_values(specs, (k, v) -> length(v)) as lens, transform_keys(specs, (k, v) -> upper(k)) as uk, map_concat(specs, map('a', 'b')) as mc, map_from_entries(array(struct('x', 1), struct('y', 2))) as mfe, map_from_arrays(array(1, 2), array('a', 'b')) as mfa, str_to_map('a:1,b:2') as stm, map_zip_with(specs, map('a', 1), (k, v1, v2) -> concat(v1, v2)) as mzw, map_contains_key(specs, 'a') as mck, try_element_at(specs, 'z') as tea
from raw_products
---
select order_id, explode(sequence(1, quantity)) as unit_no from raw_items
---
select p.sku, e.pos, e.col from raw_products p lateral view outer posexplode(p.tags) e as pos, col
---
select sku, k, v from raw_products lateral view explode(specs) s as k, v where k <> 'internal'
---
select loan_id, principal * rate as a, principal * rate * term_months as b, principal / rate as c, balance * rate as d, balance / principal as e, principal % 7 as f, -principal as g, principal + 1.5 as h, principal * 1.5 as i, principal - term_months as j, balance + balance as k, round(principal * rate, 2) as l, bround(rate, 3) as m, truncate_x as n from (select *, cast(principal as decimal(10)) as truncate_x from loans)
---
select * from (select store_id, date_format(order_date, 'MM') as m, order_total from raw_orders) pivot (sum(order_total) as total, count(*) as n for m in ('01' as jan, '02' as feb))
---
select * from (select store_id, status, order_total from raw_orders) pivot (sum(order_total) for status in ('placed', 'shipped', 'returned'))
---
select * from wide unpivot (value for month in (jan, feb, mar))
---
select * from wide unpivot include nulls ((v1, v2) for half in ((jan, feb) as first, (feb, mar) as second))
---
select o.id, x.total, x.n from raw_orders o, lateral (select sum(amount) as total, count(*) as n from raw_payments p where p.order_id = o.id) x
---
select o.id, x.best from raw_orders o left join lateral (select max(amount) as best from raw_payments p where p.order_id = o.id) as x on true
---
select u.user_id, u.country, o.id, row_number() over (partition by u.user_id order by o.ordered_at desc) as rn, ntile(4) over (order by o.order_total) as q, percent_rank() over (order by o.order_total) as pr, cume_dist() over (order by o.order_total) as cd, dense_rank() over (order by o.store_id) as dr, nth_value(o.status, 2) over (partition by u.user_id order by o.ordered_at rows between unbounded preceding and unbounded following) as second_status, lead(o.order_total, 1, 0) over (partition by u.user_id order by o.ordered_at) as next_total, lag(o.tax_paid, 2) ignore nulls over (partition by u.user_id order by o.ordered_at) as tax2, last_value(o.status, true) over (partition by u.user_id order by o.ordered_at) as last_status
from usr u join raw_orders o using (user_id)
---
select day, sensor_id, avg(temperature) over (partition by sensor_id order by measured_at range between interval 1 hour preceding and current row) as avg_1h, stddev_samp(humidity) over w as sd, max(pressure) over w as mx, sum(pressure) over w as sp, avg(pressure) over w as ap, corr(temperature, humidity) over w as cr, sum(temperature) over w as st, count(distinct_bits) over w as cb
from (select *, status_bits & 7 as distinct_bits from readings) window w as (partition by sensor_id order by measured_at rows between 10 preceding and 1 preceding)
---
select store_id, status, grouping(store_id) as gs, grouping_id(store_id, status) as gid, sum(order_total) as t from raw_orders group by cube (store_id, status)
---
select coalesce(cast(store_id as string), 'all') as store, coalesce(status, 'all') as status, count(*) as n from raw_orders group by grouping sets ((store_id, status), (store_id), ())
---
select store_id, year(order_date) as y, sum(subtotal) as s from raw_orders group by rollup (store_id, year(order_date)) having sum(subtotal) > 10 order by 1, 2
---
select amount as cents, cents / 100 as dollars, round(dollars, 1) as rounded, rounded * fee_rate as fee, fee > 1 as is_big, if(is_big, fee, 0) as big_fee from raw_payments
---
select * except (payload, status_bits), temperature * 9 / 5 + 32 as fahrenheit from readings
---
select * from raw_orders natural join (select id, amount from raw_payments)
---
select user_id, coalesce(u.name, '?') as name, o.order_total from raw_orders o full outer join usr u using (user_id)
---
select * from values (1, 'a', date '2020-01-01', 1.5), (2, null, null, 2.25) as t(id, code, day, weight)
---
select v.col1 * 2 as twice, v.col2 from values (1, 2.5), (3, 4) v
---
with recursive nums(n) as (select 1 union all select n + 1 from nums where n < 10) select n, n * n as sq from nums
---
with recursive tree as (select id, cast(null as bigint) as parent, 0 as depth from raw_orders where user_id is null union all select o.id, t.id, t.depth + 1 from raw_orders o join tree t on o.user_id = t.id) select id, parent, depth from tree
---
from raw_orders |> where status <> 'returned' |> aggregate sum(order_total) as total, count(*) as n group by store_id |> extend total / n as mean |> order by total desc |> limit 10
---
from raw_orders |> select id, store_id, order_total |> set order_total = order_total * 2 |> drop store_id
---
select try_cast(status as int) as a, try_add(id, 1) as b, try_subtract(order_date, interval 1 day) as c, try_multiply(order_total, 2) as d, try_divide(order_total, 0) as e, try_to_timestamp(status) as f, try_to_number(status, '999.99') as g, try_sum(subtotal) over () as h, try_avg(order_total) over () as i, try_to_date(status) as j, try_parse_json(status) as k, try_element_at(array(1, 2), 5) as l, try_aes_decrypt(unhex(status), 'k') as m, try_url_decode(status) as n, try_reflect('java.lang.Math', 'abs', 1) as o
from raw_orders
---
select first_name collate UNICODE_CI as n, collation(first_name) as c, first_name collate utf8_lcase = 'bob' as is_bob, upper(first_name collate UNICODE) as u from raw_customers
---
select id, case when order_total > 100 then 'big' when order_total > 10 then 'mid' else null end as bucket, width_bucket(cast(order_total as double), 0, 100, 10) as wb, least(order_total, tax_paid) as l, greatest(subtotal, order_total) as g, nullif(store_id, 0) as ns, nvl(store_id, -1) as nv, nvl2(store_id, 'y', 'n') as n2, ifnull(tax_paid, 0) as ifn, decode(status, 'a', 1, 'b', 2, 0) as dec, iff_x from (select *, if(store_id > 5, 1.0, 0) as iff_x from raw_orders)
---
select regexp_extract(url, '/p/([0-9]+)', 1) as pid, regexp_extract_all(url, '([a-z]+)') as words, regexp_replace(url, '\\?.*', '') as path, split(url, '/')[2] as host, split_part(url, '/', 3) as sp, parse_url(url, 'QUERY', 'utm') as utm, url rlike 'x' as rl, url ilike '%A%' as il, url like any ('a%', 'b%') as la, instr(url, 'x') as ins, locate('x', url) as loc, position('x' in url) as pos, substring(url from 2 for 3) as sub, substr(url, -3) as ss, overlay(url placing '_' from 2) as ov, trim(both '/' from url) as tr, levenshtein(url, event) as lev, soundex(event) as sx, lpad(event, 10, '0') as lp, repeat(event, 2) as rp, reverse(event) as rv, reverse(array(1, 2)) as ra, translate(event, 'a', 'b') as tl, ascii(event) as asc_, char(65) as ch, base64(event) as b64, unbase64(event) as ub, hex(event) as hx, md5(event) as md, crc32(event) as crc, xxhash64(event) as xx, hash(event) as hs, encode(event, 'utf-8') as enc, bit_length(event) as bl, format_string('%s', event) as fs, format_number(1234.5, 2) as fn, initcap(event) as ic, sentences(event) as se, startswith(event, 'a') as sw, contains(event, 'b') as co, to_char(12, '99') as tc, to_number('12', '99') as tn, mask(event) as mk, luhn_check('1') as lu, concat(event, 1, true) as cc, event || 1 as dp, char_length(event) as cl, octet_length(event) as ol, left(event, 2) as le
from clicks
---
select grade, fico from loans where fico > (select avg(fico) from loans) and customer_id in (select user_id from usr) and exists (select 1 from payments_monthly p where p.loan_id = loans.loan_id) qualify row_number() over (partition by grade order by fico desc) <= 3
---
select id from raw_orders union select user_id from usr union all select store_id from raw_orders
---
select order_total as v from raw_orders union all select price from raw_products union all select 1.123456
---
(select id, status from raw_orders limit 5) except (select id, payment_method from raw_payments) order by 1
---
select user_id, ts, lag(struct(qty, price)) over (partition by user_id order by ts) as prev, (lag(struct(qty, price)) over (partition by user_id order by ts)).qty as pq, addr.city as city, items[0].sku as sku0, items.sku as skus, items.price as prices, attrs.color as color, addr as a, struct(addr.*, qty) as wider, struct(*) as everything_
from ev
---
select user_id, inline(items) from ev
---
select user_id, transform(items, i -> i.qty * i.price) as amounts, aggregate(items, 0D, (a, i) -> a + i.qty * i.price) as total, array_max(transform(items, i -> i.price)) as mx, filter(items, i -> i.qty > 1)[0].sku as f, array_size(items) as n, array_agg(tags) over (partition by day) as agg, map_from_entries(transform(items, i -> struct(i.sku, i.qty))) as m from ev
---
select histogram_numeric(price, 5) as h, percentile(price, array(0.1, 0.9)) as p, approx_percentile(qty, array(0.5, 0.9), 100) as ap, approx_top_k(channel) as tk, collect_set(qty) as cs, kurtosis(price) as k, skewness(price) as s, var_pop(qty) as v, covar_samp(qty, price) as cv, regr_slope(qty, price) as rs, regr_count(qty, price) as rc, bit_and(qty) as ba, bit_xor(tny) as bx, count_min_sketch(qty, 0.5d, 0.5d, 1) as cms, max(addr) as ma, first(tags, true) as ft, sum(distinct qty) as sd, avg(small) as asm, sum(f) as sf, sum(dec2) as sdec, avg(dec2) as adec, product_x from (select *, 1 as product_x from ev) group by product_x
---
select listagg(channel, ',') within group (order by ts) as l, string_agg(channel) as s, mode() within group (order by channel) as m, percentile_disc(0.5) within group (order by qty) as pd, max_by(channel, amount) as mb, bitmap_construct_agg(bitmap_bit_position(user_id)) as bm, hll_sketch_estimate(hll_sketch_agg(user_id)) as hl, grouping_x from (select *, 1 as grouping_x from ev) group by all
---
select cast(ts as date) as d, cast(ts as string) as s, cast(ts as bigint) as b, cast(amount as int) as i, cast('1' as decimal(5,2)) as dd, cast(qty as boolean) as bo, cast(items as string) as st, cast(attrs as map<string,binary>) as mm, cast(addr as struct<c:string,z:bigint>) as ss, cast(clicks as array<string>) as aa, double(qty) as db, int('5') as ii, date('2020-01-01') as da, timestamp('2020-01-01') as tt, string(qty) as str, boolean('true') as bb, bigint(qty) as bi, decimal(qty) as de, qty::string as cs, '5'::tinyint as ct, float(1) as fl, binary('x') as bn, cast(tn as timestamp) as tz, cast(ts as timestamp_ntz) as nz from ev
---
select window.start as ws, window.end as we, channel, sum(amount) as a from ev group by window(ts, '1 hour', '15 minutes'), channel
---
select w.start, n from (select window(ts, '1 day') as w, count(*) as n from ev group by window(ts, '1 day'))
---
select qty + small as a, qty * tny as b, small + tny as c, qty / small as d, qty div small as e, f + qty as g, f + amount as h, price + amount as i, amount + qty as j, amount + small as k, amount * tny as l, qty % 3 as m, 3 % amount as n, pmod(qty, 3) as o, pmod(amount, 3) as p, mod(small, 2) as q, qty << 2 as r, small >> 1 as s, small & qty as t, ~small as u, abs(tny) as v, sign(qty) as w, power(qty, 2) as x, sqrt(amount) as y, exp(1) as z, ln(qty) as aa, log(2, qty) as ab, log10(qty) as ac, ceil(price) as ad, floor(amount) as ae, ceil(amount, 1) as af, round(qty, -1) as ag, round(price) as ah, round(amount) as ai, factorial(5) as aj, greatest(qty, small, amount) as ak, rand(1) as al, randn() as am, uniform(1, 10) as an, bin(qty) as ao, conv('a', 16, 10) as ap, shiftleft(small, 1) as aq, hypot(1, 2) as ar, degrees(1) as at_, unix_date(day) as au, unix_millis(ts) as av, positive(qty) as aw, negative(small) as ax, cbrt(8) as ay, width_bucket(price, 0, 1, 5) as az, rint(price) as ba, isnan(price) as bb, nanvl(price, 0) as bc, bit_count(qty) as bd, getbit(qty, 1) as be
from ev
---
select identifier('user_id') as u, identifier('e.' || 'qty') as q from ev e
---
select s.* , count(*) over () as n from raw_stores s
---
select name, address.*, address.geo.lat as lat from raw_stores
---
select id, address.geo from raw_stores where address.city = 'x'
---
select if(grouping(channel) = 1, 'all', channel) as ch, sum(amount) / count(distinct user_id) as per_user, round(100.0 * sum(amount) / sum(sum(amount)) over (), 2) as pct from ev group by rollup(channel)
---
with d as (select explode(sequence(date '2024-01-01', date '2024-12-31', interval 1 day)) as day) select d.day, year(day) * 100 + month(day) as ym, dayofweek(day) in (1, 7) as weekend, count(e.user_id) as n, coalesce(sum(e.amount), 0) as a from d left join ev e using (day) group by d.day, 2, 3
---
select explode(sequence(timestamp '2024-01-01', timestamp '2024-01-02', interval 1 hour)) as h
---
select posexplode(tags) from raw_products
---
select sku, posexplode(tags) as (p, t) from raw_products
---
select explode(specs) from raw_products
---
select explode(specs) as (k, v) from raw_products
---
select id, t.* from raw_orders, lateral explode(split(status, '')) as t(letter)
---
select id, id % 2 = 0 as even, cast(id as int) as i from range(1, 100, 3)
---
select r.id from range(5) r cross join usr
---
select distinct on_x, count(*) over (partition by on_x) as n from (select channel as on_x from ev)
---
select any_value(name) as n, first_value(price) as p, max(struct(price, sku)).sku as top_sku, max(named_struct('p', price, 's', sku)) as m, min(array(price)) as ar from raw_products group by type
---
select a.user_id as u, b.user_id as v, corr(a.score, b.score) as c from usr a join usr b on a.country = b.country and a.user_id < b.user_id group by a.user_id, b.user_id
---
select count(*), sum(x) from (values (1),(2)) t(x)
---
select (select max(score) from usr) as top, (select count(*) from ev e where e.user_id = u.user_id) as n, u.score > (select avg(score) from usr) as above, user_id in (select user_id from ev) as active, exists(select * from ev where ev.user_id = u.user_id) as ex from usr u
---
select coalesce(a.user_id, b.user_id) as user_id, a.score, b.name from usr a full join usr b on a.user_id = b.user_id and b.signup > timestamp '2020-01-01'
---
with a as (select user_id, amount, ts from ev), b as (select * from a where amount > 0), c as (select b.*, rank() over (order by amount) as r from b) select c.*, r + 1 as r1, struct(r, amount) as s, array(r, 1L) as arr, map('r', r, 'x', 5) as m from c
---
select element_at(split(email, '@'), 2) as domain, split(email, '@')[1] as d2, count(*) as n, count(distinct country, name) as cd from usr group by 1, 2
---
select u.*, o.* except (user_id, id) from usr u join raw_orders o on o.user_id = u.user_id
---
select date_trunc('MONTH', signup) as m, count(*) as n, count(*) - lag(count(*)) over (order by date_trunc('MONTH', signup)) as delta, sum(count(*)) over (order by date_trunc('MONTH', signup)) as running from usr group by 1
---
select sensor_id, date_format(measured_at, 'yyyy-MM-dd HH') as hr, avg(temperature) as t, min(temperature) as mn, max(temperature) - min(temperature) as rng, stddev(temperature) / avg(temperature) as cv, approx_percentile(temperature, 0.95) as p95, median(temperature) as med, median(pressure) as medp, percentile(pressure, 0.5) as pp, first(payload) as pl, sum(status_bits & 1) as bits, bit_or(status_bits) as bo, array_agg(window_values) as wv, flatten(collect_list(window_values)) as fw from readings group by sensor_id, hr
---
select * from (select id, jan, feb from wide) as t (a, b, c)
---
select t.a, t.c from (select id, jan, feb from wide) t(a, b, c) where t.b > 1
---
with t(a, b) as (select id, jan from wide) select a + 1 as a1, b from t
---
select case when is_ok then 1 when qty > 5 then 2.5 else small end as mixed, case when is_ok then day else ts end as dt, case channel when 'a' then array(1) else clicks end as arr, coalesce(price, amount) as pa, coalesce(amount, qty, 0.123) as aq, if(is_ok, null, qty) as nq, coalesce(null, f) as cf, if(is_ok, qty, '5') as qs, coalesce(tags, 'none') as ct, coalesce(tn, ts) as tnts, case when is_ok then '2020-01-01' else day end as sd, nullif(qty, 0) as nz, coalesce(addr, named_struct('city', 'x', 'zip', 1)) as ad from ev
---
select max(ts) - min(ts) as dur, extract(day from max(ts) - min(ts)) as d, (max(ts) - min(ts)) / 2 as half, cast(max(ts) as double) - cast(min(ts) as double) as secs, count(distinct day) as days, sum(amount) / count(distinct day) as per_day, max(day) - min(day) as dd, sum(ts - timestamp '2020-01-01') as stot, avg(day - date '2020-01-01') as ad, unix_timestamp(max(ts)) as ut, datediff(max(day), min(day)) as df from ev
---
select to_csv(struct(qty, price)) as c, from_csv('1,2', 'a int, b double') as fc, schema_of_csv('1,abc') as sc, from_xml('<p><a>1</a></p>', 'a INT') as fx, to_xml(struct(1 as a)) as tx, xpath_string('<a>b</a>', 'a') as xs, xpath('<a/>', 'a') as xa, xpath_int('<a>1</a>', 'a') as xi from ev
---
select spark_partition_id() as p, monotonically_increasing_id() as m, uuid() as u, input_file_name() as f, current_catalog() as c, current_database() as d, version() as v, typeof(qty) as t, assert_true(true) as at1, raise_error('x') as re, current_user() as cu, user() as us, current_timezone() as tz, equal_null(1, 2) as en, randstr(5) as rs from ev
---
select aes_encrypt('a', 'b') as ae, is_valid_utf8('x') as iv, make_valid_utf8('x') as mv, collate('a', 'UNICODE') as co, st_x from (select 1 as st_x)
---
select month, sum(v) as total from (select id, stack(3, 'jan', jan, 'feb', feb, 'mar', mar) as (month, v) from wide) group by month
---
select e.user_id, i.sku, i.qty * i.price as line, sum(i.qty) over (partition by e.user_id) as total_qty from ev e lateral view explode(e.items) x as i
---
select e.user_id, i.* from ev e lateral view inline(e.items) i as sku, q, p
---
select e.user_id, sku, qty2 from ev e, lateral inline(e.items) as i(sku, qty2, price2)
---
select col, pos from (select posexplode(array(1.5, 2)))
---
select a.*, b.n from (select store_id, sum(order_total) as total from raw_orders group by store_id) a semi join raw_stores s on s.id = a.store_id join (select store_id, count(*) as n from raw_orders group by store_id) b using (store_id)
---
select id as `order id`, `order id` + 1 as next, status as `état`, `état` || 'x' as `é2` from raw_orders
---
select o.id, o.status, p.* from raw_orders as o left outer join raw_payments as p on o.id = p.order_id and p.amount > 0 where o.order_date >= date_sub(current_date(), 30) order by o.id desc nulls last limit 100 offset 5
---
select date(order_date) as d, year(order_date) || '-' || lpad(month(order_date), 2, '0') as ym, sum(subtotal) / 100.0 as rev, sum(subtotal) / 100 as rev2, sum(cast(subtotal as decimal(10,2))) / 100 as rev3, avg(order_total) / max(order_total) as r, sum(order_total) * 1.0 / count(*) as pc, sum(tax_paid) / sum(order_total) as tr, 1 - sum(tax_paid) / sum(order_total) as tr2 from raw_orders group by order_date
---
select cast(sum(order_total) as decimal(18,2)) as t, cast(avg(order_total) as double) as a, sum(order_total) over (order by order_date) / sum(order_total) over () as share from raw_orders group by order_total, order_date
---
select distinct country_code, first_value(id) over (partition by country_code order by created_at) as first_id, year(current_date()) - year(birth_date) as age, birth_date + interval 18 years as adult_on, date_add(birth_date, 365 * 18) as approx, created_at + interval '1' day * 2 as d2, cast(created_at as date) - birth_date as diff, age_x.months from (select *, named_struct('months', cast(months_between(created_at, birth_date) as int)) as age_x from raw_customers)
---
select max(price) as p, max_by(sku, price, 3) as top3 from raw_products
---
select session_id, explode_outer(trail) as t, t.page as pg from clicks
---
select session_id, t.page, t.ms / 1000 as secs, t.at - event_ts as offset_ from clicks lateral view explode(trail) as t
---
select session_id, array_max(trail.ms) as longest, transform(trail, x -> x.page) as pages, trail[0].at as first_at, size(filter(trail, x -> x.ms > 1000)) as slow, reduce(trail, 0L, (a, x) -> a + x.ms) as total, exists(trail, x -> x.at > event_ts) as late, experiment['a'] + 1 as ea, map_values(experiment) as ev from clicks
---
select user_id, sum(qty) filter (where channel = 'a' and day > date '2024-01-01') as qa, sum(case when channel = 'b' then amount * qty end) as qb, sum(qty * price) / nullif(sum(qty), 0) as vwap, sum(amount) filter (where is_ok) / sum(amount) as ok_share, max(case when channel = 'c' then ts end) as last_c, count(*) filter (where is_ok) * 1.0 / count(*) as r, sum(int(is_ok)) as k, avg(cast(is_ok as int)) as kr, avg(is_ok::int::double) as ak from ev group by user_id having count(*) > 1 and max(ts) > timestamp '2020-01-01'
---
select lower(channel) as c, concat(LOWER(channel), 'x') as cx, count(*) n from ev group by lower(channel)
---
select qty + 1 as a, (qty+1)*2 as b, sum(price) s from ev group by qty + 1
---
select e.channel, channel as c2, sum(e.amount) as s from ev e group by channel
---
select channel as ch, count(*) from ev group by ch having ch <> 'x' and count(*) > 2 order by ch
---
select addr.city, count(*) as n from ev group by addr.city
---
select addr.city as c, addr.zip + 1 as z from ev group by addr
---
select channel from ev group by channel order by sum(amount) desc, max(ts)
---
select channel, sum(amount) as s from ev group by channel order by s / count(*) desc
---
select channel, sum(sum(amount)) over (order by channel) as run, rank() over (order by sum(amount) desc) as r, sum(amount) - lag(sum(amount)) over (order by channel) as d from ev group by channel
---
select 1 as one, current_date() as today, 'x' as lit, count(*) as n from ev
---
select max(amount) - min(amount) as rng, 'all' as seg, coalesce(max(day), current_date()) as d from ev having count(*) > 3
---
select day, count(*) n from ev group by day having n > 3
---
with ev as (select user_id, qty from ev) select qty * 2 as q from ev
---
with a as (select 1 as x), b as (with a as (select 'str' as x) select x from a) select a.x as ax, b.x as bx from a, b
---
select EV.USER_ID, Qty from ev where EV.qty > 1
---
select ev.addr.city, ev.items[0].qty as q, ev.attrs['a'] as a from ev
---
select addr.city from usr addr0, ev
---
select x.y from (select named_struct('y', 1) as x) as x
---
select x.x from (select named_struct('x', 1) as x) as x
---
select u.name, (select max(e.ts) from ev e where e.user_id = u.user_id and e.day > u.born) as last_ts from usr u where not exists (select 1 from raw_orders o where o.user_id = u.user_id and o.order_total > u.score)
---
select u.name from usr u where u.score = (select max(score) from usr u2 where u2.country = u.country)
---
select /*+ broadcast(u) */ e.qty, u.name from ev e join usr u on e.user_id = u.user_id -- trailing
---
select * from ev tablesample (10 percent) repeatable (5)
---
select * from ev tablesample (5 rows) as s where s.qty > 1
---
select user_id, case when qty > 5 then 'a' when qty is null then null end bucket from ev
---
select distinct channel, day from ev order by day
---
select channel from ev where qty > 1 sort by channel
---
select channel, qty from ev distribute by channel sort by qty
---
select user_id from ev cluster by user_id
---
select if(qty > 1, 'a', 'b') as x, x || 'c' as y, length(y) as z from ev where qty in (1, 2) order by z
---
select qty as amount, amount as a2 from ev
---
select sum(qty) as total, total / count(*) as m from ev
---
select day, amount, avg(amount) over w as m, (amount - m) as dev, stddev(amount) over w as sd, (amount - m) / sd as z from ev window w as (partition by day)
---
select e.*, u.* except (user_id) from ev e left join usr u using (user_id)
---
select user_id, e.user_id as eu, u.user_id as uu from ev e join usr u using (user_id)
---
select * from ev e join usr u using (user_id) join raw_orders o using (user_id) where user_id > 5
---
select a.*, b.x from (select 1 as k) a left join (select 1 as k, 2 as x) b on a.k <=> b.k
---
select * from (select 1 as a) cross join (select 'x' as b) cross join (values (1.5), (2.5)) as v(c)
---
select id, status from raw_orders union all select id, null from raw_payments
---
select null as a, 1 as b union all select 'x', null
---
select array() as e, map() as m, array(null) as n, cast(null as int) as i, array(1, null, 2.5) as a from ev
---
select coalesce(clicks, array()) as c, coalesce(attrs, map()) as m, concat(clicks, array()) as cc, if(is_ok, clicks, array()) as ci, nvl(items, array()) as it from ev
---
select map('a', 1, 'b', null) as m, named_struct('a', null) as s, struct() as e from ev
---
select explode(coalesce(items, array())) as i from ev
---
select day, count(*) as cnt from ev where day between current_date - interval 30 days and current_date group by 1
---
select current_date as d, current_timestamp as t, current_timestamp - interval 1 day as y, date_sub(current_date, 7) as w from ev
---
select date '2020-01-01' + interval 1 month as m, timestamp '2020-01-01 00:00:00' - interval '2' hour as h, '2020-01-01' + interval 1 day as s from ev
---
select ts > current_timestamp() - interval 7 days as recent, day >= '2020-01-01' and day < date '2020-02-01' as jan, ts between '2020-01-01' and '2020-01-02' as b, year(ts) = 2020 and month(ts) in (1,2) as ym from ev
---
select qty = '1' as a, qty > '1.5' as b, price = '1' as c, amount > '1' as d, is_ok = 'true' as e, channel > 5 as f, channel = day as g, ts = channel as h, channel + 1 as i, channel * price as j, channel - amount as k, '5' / 2 as l, -channel as m, channel || qty as n, tags = payload as o from ev
---
select is_ok in (true, false) as a, is_ok = 'yes' as b, is_ok > false as c, is_ok <> is_ok as d, coalesce(is_ok, false) as e from ev
---
select qty / 0 as z, qty % 0 as m, cast('x' as int) as c, 1/3 as t, 1.0/3 as u, 10/4 as v, 7 div 2 as w, 2 * 3.0 as x, 1 + 1.0 as y, 1 + 1e0 as zz from ev
---
select sum(amount) filter (where day > '2020-01-01') as a, count(distinct case when is_ok then user_id end) as b, sum(if(is_ok, amount, 0)) as c, sum(if(is_ok, 1, 0)) / count(1) as d, avg(if(is_ok, qty, null)) as e, max(if(is_ok, ts, null)) as f, count(distinct user_id, day) as g, count(qty, price) as h, count(*) as i from ev
---
select user_id, count_if(channel = 'a') as a, count_if(is_ok) over (partition by user_id) as b, bool_and(is_ok) as c from ev group by user_id, is_ok
---
select channel, grouping__id as gid, count(*) from ev group by channel with rollup
---
select channel, day, count(*) n from ev group by channel, day with cube
---
select channel, sum(qty) from ev group by grouping sets (channel, (channel, day), ()) having grouping(channel) = 0
---
select channel, day, sum(qty) as q from ev group by channel, rollup(day)
---
from ev |> where qty > 1 |> select user_id, amount |> aggregate sum(amount) as a group by user_id |> where a > 10
---
from ev |> extend amount * 2 as dbl |> select user_id, dbl |> as e |> join usr u on u.user_id = e.user_id |> select u.name, e.dbl
---
from ev |> aggregate count(*) as n, sum(qty) group by channel, day |> order by n desc |> limit 3
---
from ev |> drop payload, tags |> select *
---
from ev |> set qty = qty * 2.5, price = cast(price as int) |> select qty, price
---
from raw_orders |> select id |> union all (select user_id from usr)
---
from raw_orders |> select id |> tablesample (10 percent)
---
from raw_orders |> select store_id, status, order_total |> pivot (sum(order_total) for status in ('a', 'b'))
---
select name from usr |> extend length(name) as l |> where l > 3
---
select * from usr order by all
---
select channel, sum(qty) as q from ev group by all order by all
---
select a, b from (select user_id, qty from ev) as t(a, b) where a > b
---
select * from usr where (country, score) in (select country, max(score) from usr group by country)
---
select * from usr where country not in ('a', 'b') and name like '%x!%%' escape '!' and email rlike '^a' and name not ilike 'b%' and signup is not null
---
select case when exists (select 1 from ev e where e.user_id = u.user_id) then 1 else 0 end as active, u.score in (select price from ev) as p from usr u
---
select first(name) from usr
---
select `user_id`, `addr`.`city`, `addr`.city as c2 from `ev`
---
select u.* from usr as u where u.`name` = "double quoted" and u.country = r'raw\n'
---
select user_id, qty !=1 as a, qty <> 1 as b, !is_ok as c, qty == 1 as d, qty <=> 1 as e, qty ^ 3 as f, qty | 1 as g from ev
---
select date_add(day, qty) as a, date_sub(day, small) as b, add_months(day, qty) as c, day + qty as d, day - qty as e, timestampadd(hour, qty, ts) as f, ts + make_interval(0,0,0,0,qty) as g, ts + qty * interval 1 hour as h, ts + make_dt_interval(0, qty) as i, ts + interval '1' day * qty as j, date_add(ts, 1) as k, date_add('2020-01-01', 1) as l, datediff('2020-01-01', day) as m, months_between('2020-01-01', ts) as n, year('2020-01-01') as o, hour('2020-01-01') as p, date_trunc('day', day) as q, trunc(ts, 'mm') as r, last_day(ts) as s, date_format(day, 'E') as t, to_date(ts) as u, to_timestamp(day) as v, unix_timestamp(day) as w, from_unixtime(user_id) as x from ev
---
select sum(price) over (order by ts rows between unbounded preceding and current row) / sum(price) over () as cum, first_value(channel) ignore nulls over (partition by user_id order by ts) as f, last(channel) over (order by ts) as l, ntile(10) over (partition by day order by amount) as dec, count(*) over () as n, percentile_approx(amount, 0.5) over (partition by day) as p, collect_set(channel) over (partition by user_id) as cs, sum(amount) over (partition by user_id order by unix_timestamp(ts) range between 3600 preceding and current row) as h from ev
---
select user_id, max(ts) over (partition by user_id order by ts range between unbounded preceding and interval 1 day preceding) as prev from ev
---
select * from ev where day = (select max(day) from ev) and ts = (select max(ts) from ev where channel = 'a')
---
select col1, col2 from values (1, 'x'), (2, 'y')
---
select t.* from (values (1, array(1)), (2, array())) as t(a, b)
---
select count(*) from ev as of_x
---
select date, timestamp, year from (select day as date, ts as timestamp, 1 as year from ev)
---
select key, value, type, name, data, level, rank, window, first, last, position, filter, index from (select 1 as key, 2 as value, 3 as type, 4 as name, 5 as data, 6 as level, 7 as rank, 8 as window, 9 as first, 10 as last, 11 as position, 12 as filter, 13 as index)
---
select month, day, hour, left, right, user, desc from (select 1 as month, 2 as day, 3 as hour, 'l' as left, 'r' as right, 'u' as user, 'd' as desc)
---
select transform(clicks, c -> c + qty) as a, filter(items, i -> i.qty > ev.qty) as b, transform(items, i -> named_struct('s', i.sku, 't', i.qty * i.price)) as c, aggregate(items, 0D, (acc, i) -> acc + i.price) as d, transform(clicks, (c, i) -> struct(c, i)) as e, array_sort(items, (l, r) -> cast(l.qty - r.qty as int)) as f, transform(filter(clicks, x -> x > 1), x -> transform(clicks, y -> x * y)) as g from ev
---
select cast(null as string) as s, cast(null as array<struct<a int, b: string>>) as a, cast(null as map<string, array<int>>) as m, cast(1 as decimal) as d, cast(1 as dec(5)) as d2, cast(1 as numeric(6,1)) as d3, cast('x' as char(5)) as c, cast('x' as varchar(5)) as v, cast(1 as long) as l, cast(1 as short) as sh, cast(1 as byte) as by, cast(1 as real) as r, cast('1' as interval day) as i, cast(ts as timestamp_ltz) as tl, cast(1 as integer) as ii, cast('2' as interval year to month) as iym from ev
---
select e1.user_id, e2.ts as nxt from ev e1 left join ev e2 on e1.user_id = e2.user_id and e2.ts > e1.ts and e2.ts <= e1.ts + interval 7 days where e2.user_id is null
---
select parse_json(payload):items[0].price::double as p, parse_json(payload):`a b` as q, parse_json(payload):x::string as s from ev
---
select * except (items, clicks, attrs), size(items) as n_items from ev where user_id % 2 = 0
---
select a.n, b.n as m from (select count(*) as n from ev) a, (select count(*) as n from usr) b
---
select case when a > 0 then 'p' end as s from (select sum(amount) as a from ev)
---
select round(avg(score), 2) as avg_score, round(stddev(score), 2) sd, round(100 * count_if(country = 'a') / count(*), 1) as pct, format_string('%d', count(*)) as s from usr
---
select v.pos, v.key from clicks, lateral variant_explode(parse_json(properties)) as v
---
select user_id, stack(2, 'q', qty, 's', tny + 0) as (k, v) from ev
---
select date_trunc('month', o.order_date)::date as m, s.name, sum(o.order_total) filter (where o.status = 'completed') as t, rank() over (partition by date_trunc('month', o.order_date)::date order by sum(o.order_total) desc) as r from raw_orders o inner join raw_stores s on o.store_id = s.id group by 1, 2
---
with recursive walk(n, day, path) as (select 1, date '2024-01-01', cast('a' as string) union all select n + 1, date_add(day, 1), path || 'b' from walk where n < 5) select *, n / 2 as half from walk
---
with recursive r(n) as (select 1 union all select cast(n + 1 as int) from r where n < 3) select sum(n) as s, max(n) as m from r
