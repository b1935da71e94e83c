-- Queries as people write them: none was changed after the compiler had seen it. Between two of them: ---
with customers as (select * from raw_customers), orders as (select * from raw_orders where status not in ('returned', 'return_pending')),
final as (
    select customers.id as customer_id, initcap(customers.first_name) as first_name, left(customers.last_name, 1) || '.' as last_initial,
        min(orders.order_date) as first_order_date, count(orders.id) as order_count, coalesce(sum(orders.order_total), 0) as lifetime_value
    from customers left join orders on orders.user_id = customers.id
    group by customers.id, customers.first_name, customers.last_name
)
select * from final
---
with order_items as (select * from raw_items), products as (select sku, name as product_name, price / 100.0 as list_price, type from raw_products)
select oi.order_id, oi.sku, p.product_name, oi.unit_price, p.list_price, oi.unit_price - p.list_price as price_gap,
    round((p.list_price - oi.unit_price) / nullif(p.list_price, 0) * 100, 1) as pct_off
from order_items oi inner join products p using (sku)
---
select o.id as order_id, o.store_id, s.name as store_name, s.tax_rate, o.subtotal / 100 as subtotal, cast(o.subtotal * s.tax_rate / 100 as decimal(12, 2)) as expected_tax, o.tax_paid, abs(o.tax_paid - o.subtotal * s.tax_rate / 100) > 0.01 as is_off
from raw_orders o join raw_stores s on s.id = o.store_id
---
with monthly as (
    select date_trunc('month', order_date) as order_month, store_id, sum(order_total) as revenue, count(distinct user_id) as buyers
    from raw_orders group by all
)
select order_month, store_id, revenue, buyers, revenue / buyers as revenue_per_buyer,
    sum(revenue) over (partition by store_id order by order_month) as revenue_to_date,
    avg(revenue) over (partition by store_id order by order_month rows between 2 preceding and current row) as revenue_3m,
    revenue / lag(revenue, 12) over (partition by store_id order by order_month) - 1 as yoy
from monthly
---
select user_id, id, order_date, date_diff(order_date, lag(order_date) over w) as days_since_last, date_diff(lead(order_date) over w, order_date) as days_to_next, first_value(status) over w as first_status, rank() over (partition by user_id order by order_total desc) as by_size
from raw_orders window w as (partition by user_id order by order_date, id)
---
select cohort, months_on, count(distinct user_id) as active, sum(order_total) as spent
from (
    select o.user_id, o.order_total, trunc(f.first_day, 'MM') as cohort, cast(months_between(trunc(o.order_date, 'MM'), trunc(f.first_day, 'MM')) as int) as months_on
    from raw_orders o join (select user_id, min(order_date) as first_day from raw_orders group by user_id) f on f.user_id = o.user_id
) group by cohort, months_on having count(*) > 5
---
select payment_method, count(*) as n, sum(amount) / 100 as total, avg(amount) as mean_cents, stddev(amount) as sd, percentile(amount, 0.5) as med, percentile(amount, array(0.25, 0.75)) as quartiles, max(paid_at) as last_paid
from raw_payments group by payment_method order by total desc
---
select p.order_id, sum(p.amount) filter (where p.payment_method = 'gift_card') as gift_cents, max_by(p.payment_method, p.amount) as main_method, array_sort(collect_set(p.payment_method)) as methods, sum(p.amount * p.fee_rate) as fees
from raw_payments p group by p.order_id
---
select id, amount, fee_rate, amount * fee_rate as fee, amount * (1 - fee_rate) as net, round(amount * fee_rate, 2) as fee_rounded, ceil(amount * fee_rate) as fee_up, amount / 3 as third, amount % 7 as rest, fee_rate / 2 as half_rate
from raw_payments
---
select loan_id, principal * rate as interest, principal * rate / 12 as monthly, principal * power(1 + rate / 12, term_months) as compounded, balance / principal as share_left, greatest(principal, balance) as larger, principal - coalesce(balance, 0) as repaid, sum(principal) over (partition by grade) as grade_total
from loans
---
select grade, avg(rate) as mean_rate, avg(principal) as mean_principal, sum(balance) as exposure, sum(principal * rate) / sum(principal) as weighted_rate, max(rate) - min(rate) as spread, stddev_pop(cast(rate as double)) as sd, count_if(defaulted) / count(*) as default_rate
from loans group by grade
---
select loan_id, issued, add_months(issued, term_months) as matures, last_day(issued) as month_end, next_day(issued, 'MON') as next_monday, date_add(issued, 30) as first_due, make_date(year(issued), 1, 1) as year_start, datediff(coalesce(closed, current_date()), issued) as age_days, months_between(closed, issued) as months_open, quarter(issued) as q, dayofweek(issued) as dow, weekofyear(issued) as wk
from loans
---
select m.loan_id, m.month, m.due - m.paid as shortfall, sum(m.due - m.paid) over (partition by m.loan_id order by m.month) as arrears, max(m.late_days) over (partition by m.loan_id order by m.month rows between 11 preceding and current row) as worst_year, case when m.late_days >= 90 then 'D' when m.late_days >= 30 then 'L' else 'C' end as state, sum(if(m.late_days > 0, 1, 0)) over (partition by m.loan_id) as late_count
from payments_monthly m
---
with states as (select loan_id, month, late_days, lag(late_days, 1, 0) over (partition by loan_id order by month) as before_days from payments_monthly)
select month, sum(case when before_days = 0 and late_days > 0 then 1 else 0 end) as rolled, count(*) as n, round(sum(case when before_days = 0 and late_days > 0 then 1 else 0 end) * 100.0 / count(*), 3) as pct
from states group by month
---
select l.loan_id, exists(l.risk_flags, f -> f = 'FRAUD') as is_fraud, array_contains(l.risk_flags, 'LATE') as has_late, array_join(array_distinct(l.risk_flags), '|') as flags, size(l.risk_flags) as n_flags, array_position(l.risk_flags, 'LATE') as late_at, concat(l.risk_flags, array(l.grade)) as more, slice(l.risk_flags, 1, 2) as first_two
from loans l
---
select f.flag, count(*) as n, avg(l.fico) as mean_fico, min(l.issued) as since from loans l lateral view explode(l.risk_flags) f as flag group by f.flag
---
select loan_id, col as flag from loans, lateral explode(risk_flags)
---
select customer_id, count(*) as loans_n, sum(principal) as borrowed, any_value(grade) as some_grade, min_by(grade, issued) as first_grade, collect_list(struct(loan_id, principal)) as parts, bool_and(defaulted) as all_bad, approx_count_distinct(grade) as grades
from loans group by customer_id
---
select visitor_id, session_id, from_json(properties, 'STRUCT<device: STRING, screen: STRUCT<w: INT, h: INT>, tags: ARRAY<STRING>>') as props, get_json_object(properties, '$.device') as device, try_cast(get_json_object(properties, '$.screen.w') as int) as width
from clicks
---
select s.props.screen.w * s.props.screen.h as pixels, upper(s.props.device) as device, s.props.tags[0] as first_tag, size(s.props.tags) as n from (select from_json(properties, 'device STRING, screen STRUCT<w: INT, h: INT>, tags ARRAY<STRING>') as props from clicks) s
---
select session_id, j.a, j.b from clicks lateral view json_tuple(properties, 'a', 'b') j as a, b
---
select to_json(named_struct('id', visitor_id, 'at', event_ts, 'exp', experiment)) as doc, schema_of_json('{"a": 1}') as sch, json_object_keys(properties) as keys_, json_array_length(get_json_object(properties, '$.items')) as n_items from clicks
---
select parse_json(properties) as v, variant_get(parse_json(properties), '$.price', 'double') as price, parse_json(properties):user.id::bigint as uid, try_variant_get(parse_json(properties), '$.when', 'timestamp') as at_ from clicks
---
select visitor_id, trail[0].page as first_page, trail[size(trail) - 1].page as last_page, transform(trail, t -> t.ms / 1000) as seconds, array_max(transform(trail, t -> t.ms)) as longest, aggregate(trail, cast(0 as bigint), (a, t) -> a + t.ms, a -> a / 1000.0) as total_s from clicks
---
select c.visitor_id, t.page, t.ms, t.at, pos + 1 as step from clicks c lateral view outer posexplode(c.trail) x as pos, t
---
select page, count(*) as views, percentile_approx(ms, 0.9) as p90, sum(ms) / 1000 as seconds from (select inline(trail) from clicks) group by page
---
select k as experiment, v as arm, count(distinct visitor_id) as people from clicks lateral view explode(experiment) e as k, v group by k, v
---
select map_from_entries(transform(trail, t -> struct(t.page, t.ms))) as by_page, map_concat(experiment, map('extra', 1)) as more, map_contains_key(experiment, 'a') as has_a, element_at(experiment, 'a') as arm, map_values(experiment) as arms, map_entries(experiment) as pairs, transform_keys(experiment, (k, v) -> upper(k)) as loud from clicks
---
select window.start as hour_start, window.end as hour_end, count(*) as n from clicks group by window(event_ts, '1 hour')
---
select date_trunc('hour', event_ts) as h, hour(event_ts) as hr, minute(event_ts) as mi, date_format(event_ts, 'yyyy-MM') as ym, to_date(event_ts) as d, event_ts + interval 15 minutes as later, event_ts - interval '1' day as day_before, unix_millis(event_ts) as ms, to_unix_timestamp(event_ts) as ts_s, from_unixtime(0) as epoch, timestamp_seconds(10) as t10 from clicks
---
select extract(dow from event_ts) as dow, extract(epoch from event_ts) as ep, date_part('week', event_ts) as wk, weekday(event_ts) as wd, dayname(event_ts) as nm, timestampadd(hour, 3, event_ts) as plus3, timestampdiff(day, event_ts, current_timestamp()) as age, convert_timezone('UTC', 'Europe/Paris', local_ts) as paris, from_utc_timestamp(event_ts, 'Asia/Tokyo') as tokyo from clicks
---
select session_id, min(event_ts) as began, max(event_ts) as ended, unix_timestamp(max(event_ts)) - unix_timestamp(min(event_ts)) as secs, count(*) as events, count(distinct url) as urls, array_agg(event) as events_list, max(scroll) as deepest, avg(scroll) as mean_scroll from clicks group by session_id
---
with gaps as (select visitor_id, event_ts, event_ts > lag(event_ts) over (partition by visitor_id order by event_ts) + interval 30 minutes as is_new from clicks)
select visitor_id, event_ts, sum(cast(coalesce(is_new, true) as int)) over (partition by visitor_id order by event_ts) as session_no from gaps
---
select visitor_id, event, lead(event) over (partition by visitor_id order by event_ts) as next_event, count(*) over (partition by visitor_id, event) as same, dense_rank() over (order by visitor_id) as visitor_no, percent_rank() over (partition by event order by scroll) as pr, cume_dist() over (partition by event order by scroll) as cd, ntile(4) over (order by event_ts) as quarter_, nth_value(url, 2) over (partition by visitor_id order by event_ts) as second_url from clicks
---
select parse_url(url, 'HOST') as host, split(url, '/')[3] as section, regexp_extract(url, 'utm_source=([^&]+)', 1) as source, regexp_replace(url, '\\?.*', '') as bare, substring_index(url, '/', 3) as root, length(url) as len, instr(url, 'buy') > 0 as is_buy, url like '%/cart%' as is_cart, url rlike '^https' as is_https, split_part(url, '/', 2) as part from clicks
---
select sensor_id, day, avg(temperature) as t_mean, max(temperature) - min(temperature) as t_range, sum(pressure) as p_sum, avg(pressure) as p_mean, corr(temperature, humidity) as r, covar_samp(temperature, humidity) as cv, skewness(humidity) as sk, kurtosis(humidity) as ku, regr_slope(temperature, humidity) as slope, var_pop(pressure) as vp from readings group by sensor_id, day
---
select sensor_id, measured_at, temperature, temperature - avg(temperature) over w as anomaly, (temperature - avg(temperature) over w) / nullif(stddev(temperature) over w, 0) as z, sum(humidity) over w as hum, count(*) over w as n, min(pressure) over w as p_min from readings window w as (partition by sensor_id order by measured_at range between interval 1 hour preceding and current row)
---
select sensor_id, status_bits & 1 as low, status_bits | 4 as with_4, status_bits ^ 255 as flipped, ~status_bits as inverted, shiftleft(status_bits, 2) as l2, shiftright(status_bits, 1) as r1, bit_count(status_bits) as bits, bin(status_bits) as b, hex(status_bits) as hx, hex(payload) as px, base64(payload) as b64, md5(payload) as digest, sha2(payload, 256) as sha, crc32(payload) as crc, length(payload) as bytes_, conv('ff', 16, 10) as cv from readings
---
select sensor_id, window_values[0] as first_v, array_max(window_values) as mx, array_min(window_values) as mn, aggregate(window_values, 0D, (a, x) -> a + x) / size(window_values) as mean_v, filter(window_values, x -> x > 0) as pos, zip_with(window_values, sequence(1, size(window_values)), (v, i) -> v * i) as weighted, array_sort(window_values) as sorted, reverse(window_values) as rev, flatten(array(window_values, array(1.0D))) as flat, array_repeat(humidity, 3) as rep, arrays_zip(window_values, array(1, 2)) as zipped from readings
---
select sensor_id, round(temperature, 1) as t1, bround(humidity, 2) as h2, floor(temperature) as tf, ceil(humidity) as hc, cast(temperature as int) as ti, sqrt(humidity) as sq, log10(humidity) as lg, ln(humidity) as l, exp(temperature) as e, sign(temperature) as sg, abs(temperature) as ab, pow(humidity, 2) as p2, degrees(humidity) as dg, width_bucket(humidity, 0, 100, 10) as wb, pmod(sensor_id, 10) as pm, temperature / 2 as half, humidity div 2 as hd from readings
---
select user_id, sum(amount) as total, sum(qty * price) as value, avg(amount) as mean_amount, sum(amount) / count(*) as mean_by_hand, max(dec2) as d, sum(dec2) as sd, sum(small) as ss, avg(tny) as at_, sum(f) as sf, mode(channel) as main_channel, count(distinct channel, day) as pairs from ev group by user_id
---
select day, channel, sum(amount) as total from ev group by rollup (day, channel)
---
select coalesce(channel, 'all') as channel, coalesce(cast(day as string), 'all') as day, grouping(channel) as g, grouping_id(channel, day) as gid, sum(qty) as n from ev group by grouping sets ((channel, day), (channel), ())
---
select country, channel, sum(amount) as total, count(*) as n from ev join usr using (user_id) group by cube (country, channel)
---
select * from (select user_id, channel, amount from ev) pivot (sum(amount) as total for channel in ('web' as web, 'app' as app))
---
select * from (select day, channel, qty, price from ev) pivot (sum(qty) as q, max(price) as p for channel in ('web', 'app'))
---
select id, month, value from wide unpivot (value for month in (jan, feb, mar))
---
select id, stack(3, 'jan', jan, 'feb', feb, 'mar', mar) as (month, value) from wide
---
select u.*, e.n_events, e.last_day from usr u left join (select user_id, count(*) as n_events, max(day) as last_day from ev group by user_id) e on e.user_id = u.user_id
---
select * except (payload, bin, attrs) from ev
---
select u.name, e.* except (user_id, payload) from ev e join usr u on u.user_id = e.user_id
---
select name, floor(datediff(current_date(), born) / 365.25) as age, year(current_date()) - year(born) as age2, split(email, '@')[1] as domain, lower(trim(email)) as email_clean, substr(name, 1, 3) as abbr, concat_ws(', ', name, country) as label, lpad(cast(user_id as string), 10, '0') as padded, coalesce(score, 0) as score0, nvl2(score, 'y', 'n') as has_score, score is null as no_score, score between 0 and 1 as in_range from usr
---
select user_id, row_number() over (partition by user_id order by ts desc) as rn from ev qualify rn = 1
---
select user_id, amount, amount > avg(amount) over (partition by user_id) as above_mean from ev qualify row_number() over (partition by user_id order by amount desc) <= 3
---
select user_id, addr.city, addr.zip, struct(addr.city, day) as both_, named_struct('c', addr.city, 'z', addr.zip + 1) as moved, items[0].sku as first_sku, items.price as prices, aggregate(items, 0D, (a, i) -> a + i.qty * i.price) as basket, attrs['color'] as color, map_keys(attrs) as ks from ev
---
select e.user_id, i.sku, i.qty * i.price as line_total, sum(i.qty) over (partition by i.sku) as sold from ev e lateral view explode(e.items) x as i
---
select user_id, explode(sequence(day, date_add(day, 3))) as d from ev
---
select d, count(e.user_id) as n from (select explode(sequence(date '2024-01-01', date '2024-12-31', interval 1 day)) as d) c left join ev e on e.day = c.d group by d
---
with recursive days as (select date '2024-01-01' as d, 1 as n union all select date_add(d, 1), n + 1 from days where n < 10) select d, n from days
---
select user_id from ev union select user_id from usr
---
select user_id, amount as value, 'order' as kind from ev union all select user_id, score, 'score' from usr
---
select id as key_, order_total as money from raw_orders union all select id, amount from raw_payments
---
select 'a' as src, day as at_ from ev union all select 'b', signup from usr
---
select cast(null as string) as note, qty as n from ev union all select channel, small from ev union all select 'x', tny from ev
---
select user_id from ev except select user_id from usr where country = 'FR'
---
select user_id, day from ev intersect select user_id, born from usr
---
select user_id, amount from ev where amount > (select avg(amount) from ev) and user_id in (select user_id from usr where score > 0.5) and exists (select 1 from raw_orders o where o.user_id = ev.user_id)
---
select u.user_id, (select max(e.day) from ev e where e.user_id = u.user_id) as last_day, (select count(*) from ev) as all_events from usr u
---
select u.user_id, t.day, t.amount from usr u, lateral (select day, amount from ev where ev.user_id = u.user_id order by day desc limit 3) t
---
select a.user_id, b.user_id as other, a.day from ev a cross join ev b where a.day = b.day and a.user_id < b.user_id
---
select * from ev left semi join usr on ev.user_id = usr.user_id
---
select user_id, name from usr left anti join ev using (user_id)
---
select coalesce(e.user_id, u.user_id) as user_id, e.amount, u.score from ev e full outer join usr u on e.user_id = u.user_id
---
select user_id, e.day, u.country from ev e full join usr u using (user_id)
---
select nvl(amount, 0) as a0, ifnull(qty, 0) as q0, coalesce(amount, qty, price) as mixed, nullif(qty, 0) as q_null, if(is_ok, amount, 0) as ok_amount, case channel when 'web' then 1 when 'app' then 2.5 end as code, greatest(qty, small, tny) as g, least(price, amount) as l, zeroifnull(qty) as z, decode(channel, 'web', 'W', 'app', 'A', '?') as dc from ev
---
select amount * qty as line, amount * price as line_d, amount / qty as unit, amount + dec2 as both_, amount - 1 as less, amount * 1.19 as gross, dec2 * dec2 as sq, dec2 / amount as ratio, qty / 2 as half, qty div 2 as idiv, small + tny as st, qty * small as qs, f * 2 as f2, f + price as fd, -amount as neg, amount % 3 as m3, round(amount / 7, 3) as r3, cast(amount as int) as i, amount::string as s from ev
---
select ts + interval 1 day as a, ts - tn as b, day - date '2020-01-01' as c, day + 7 as e, date_sub(day, 7) as f_, ts - interval 2 months as g, day + interval 1 month as h, day + interval 3 hours as i, tn + make_interval(0, 1) as j, ts::date as k, date(ts) as l, timestamp(day) as m, to_timestamp('2024-01-01') as n, to_date('01/02/2024', 'dd/MM/yyyy') as o, try_to_timestamp('x') as p, current_date as q, now() as r from ev
---
select tags, split(tags, ',') as parts, size(split(tags, ',')) as n, array_contains(split(tags, ','), 'vip') as vip, transform(split(tags, ','), x -> trim(x)) as clean, filter(transform(split(tags, ','), x -> trim(x)), x -> x <> '') as kept, str_to_map(tags, ';', '=') as kv, explode(split(tags, ',')) as tag from ev
---
select transform(clicks, (x, i) -> x * i) as w, array_union(clicks, array(1)) as u, array_intersect(clicks, array(1, 2)) as i, array_except(clicks, array(0)) as ex, array_append(clicks, 5) as ap, array_prepend(clicks, 5) as pp, array_insert(clicks, 1, 9) as ins, array_remove(clicks, 0) as rm, array_compact(clicks) as ac, element_at(clicks, 1) as e1, get(clicks, 0) as g0, try_element_at(clicks, 9) as te, cardinality(clicks) as card, forall(clicks, x -> x > 0) as fa, shuffle(clicks) as sh, array_size(clicks) as asz, sort_array(clicks, false) as sa from ev
---
select user_id, histogram_numeric(price, 5) as h, approx_percentile(price, array(0.5, 0.9), 100) as ap, collect_set(channel) as cs, first(channel, true) as fc, last(amount) as la, listagg(channel, ',') within group (order by channel) as lst, string_agg(distinct channel) as sa, bit_or(qty) as bo, every(is_ok) as ev_, some(is_ok) as so, max(struct(ts, amount)).amount as latest_amount, count_min_sketch(qty, 0.5D, 0.5D, 1) as cms, sum(distinct qty) as sdq, median(price) as med, try_sum(qty) as ts_, try_avg(amount) as ta from ev group by user_id
---
select percentile_cont(0.5) within group (order by amount) as p50, percentile_disc(0.5) within group (order by qty) as d50, mode() within group (order by channel) as mo from ev
---
select xxhash64(user_id, day) as h, hash(channel) as h2, sha1(channel) as s1, uuid() as u, monotonically_increasing_id() as mid, typeof(amount) as ty, input_file_name() as fn, rand() as r, randn(1) as rn from ev
---
select translate(channel, 'abc', 'xyz') as tr, overlay(channel placing 'x' from 1 for 2) as ov, position('e' in channel) as po, locate('e', channel) as lo, repeat(channel, 2) as re, reverse(channel) as rv, ascii(channel) as asc_, char(65) as ch, soundex(channel) as so, levenshtein(channel, 'web') as le, initcap(channel) as ic, rtrim(channel) as rt, btrim(channel) as bt, format_number(price, 2) as fm, format_string('%s-%d', channel, qty) as fs, startswith(channel, 'w') as sw, contains(channel, 'e') as ct, endswith(channel, 'b') as ew, find_in_set('a', tags) as fi, printf('%05d', qty) as pf, mask(channel) as mk, unbase64('aGk=') as ub, encode(channel, 'utf-8') as en, elt(1, channel, 'b') as el, char_length(channel) as cl, octet_length(channel) as ol, bit_length(channel) as bl, regexp_count(channel, 'a') as rc, regexp_extract_all(channel, '(a)', 1) as rea, regexp_instr(channel, 'a') as ri, regexp_substr(channel, 'a') as rs, to_number('12', '99') as tn_, to_char(amount, '999.99') as tc, sentences(payload) as se from ev
---
select s.name, s.address.city, s.address.geo.lat, s.address.geo, upper(s.address.street) as street, struct(s.id, s.address.city as town) as st, s.address.geo.lat * pi() / 180 as rad from raw_stores s
---
select x.sku, x.name, x.tags[0] as tag, x.specs['color'] as color, x.weight_kg * 2.20462 as lb, round(x.price / 100, 2) as eur, x.price * 0.9 as sale, cast(x.price as decimal(10, 2)) / 100 as exact, x.launched > date '2020-01-01' as is_new, date_format(x.launched, 'MMM yyyy') as shown, year(x.launched) * 100 + month(x.launched) as ym from raw_products x
---
select sku, tag, spec_key, spec_value from raw_products lateral view explode(tags) t as tag lateral view explode(specs) s as spec_key, spec_value
---
select type, count(*) as n, min(price) as lo, max(price) as hi, avg(price) as mean_price, sum(price) as total, avg(weight_kg) as w, max_by(name, price) as dearest, array_join(collect_list(name), ', ') as names from raw_products group by type having avg(price) > 100 order by n desc limit 10
---
select order_id, sku, quantity * unit_price as gross, quantity * unit_price * (1 - discount) as net, unit_price * discount as off, sum(quantity) over (partition by order_id) as pieces, quantity / sum(quantity) over (partition by order_id) as share, row_number() over (partition by order_id order by unit_price desc) as place, not is_gift as is_paid from raw_items
---
select order_id, sum(quantity) as q, sum(unit_price) as s, avg(unit_price) as a, avg(quantity) as aq, avg(discount) as ad, sum(discount) as sd, min(quantity) as mq, sum(quantity * unit_price) / sum(quantity) as avg_price, max(is_gift) as g from raw_items group by 1
---
with a as (select order_id, sum(unit_price * quantity) as items_total from raw_items group by order_id), b as (select order_id, sum(amount) / 100 as paid from raw_payments group by order_id)
select o.id, a.items_total, b.paid, a.items_total - b.paid as open_, coalesce(b.paid, 0) / nullif(a.items_total, 0) as paid_share, o.order_total = a.items_total as matches from raw_orders o left join a on a.order_id = o.id left join b on b.order_id = o.id
---
with dup as (select *, row_number() over (partition by id order by created_at desc) as rn from raw_customers) select * except (rn) from dup where rn = 1
---
select country_code, count(*) as n, count(case when marketing_opt_in then 1 end) as opted, count(marketing_opt_in) as known, avg(cast(marketing_opt_in as int)) as share, min(birth_date) as oldest, percentile_approx(year(birth_date), 0.5) as med_year from raw_customers group by country_code
---
select id, first_name, created_at, date_diff(day, created_at, current_timestamp()) as days, datediff(month, birth_date, current_date()) as months, dateadd(day, 1, birth_date) as d1, date_add(month, 1, birth_date) as m1, trunc(birth_date, 'year') as y, date_from_unix_date(0) as d0, unix_date(birth_date) as ud, dayofyear(birth_date) as doy, to_char(birth_date, 'yyyy') as yy, cast(created_at as bigint) as secs, cast(created_at as double) as secs_d from raw_customers
---
select case when age < 18 then 'minor' when age < 65 then 'adult' else 'senior' end as band, count(*) as n from (select cast(months_between(current_date(), birth_date) / 12 as int) as age from raw_customers) group by 1
---
select a.id, lag(a.status, 1, 'none') over (partition by a.user_id order by a.ordered_at) as before_status, a.status, a.order_total - lag(a.order_total, 1, 0) over (partition by a.user_id order by a.ordered_at) as diff, last_value(a.store_id) ignore nulls over (partition by a.user_id order by a.ordered_at rows between unbounded preceding and 1 preceding) as last_store from raw_orders a
---
select user_id, map_from_arrays(collect_list(cast(order_date as string)), collect_list(order_total)) as by_day, transform(collect_list(named_struct('d', order_date, 't', order_total)), x -> x.t) as totals, array_sort(collect_list(struct(ordered_at, status)))[0].status as first_status from raw_orders group by user_id
---
select user_id, sum(order_total) as total, sum(sum(order_total)) over (order by sum(order_total) desc) as running, sum(order_total) / sum(sum(order_total)) over () as share, rank() over (order by count(*) desc) as r from raw_orders group by user_id
---
select store_id, order_date, count(*) as n, avg(count(*)) over (partition by store_id order by order_date rows 6 preceding) as avg7, max(count(*)) over (partition by store_id) as best from raw_orders group by store_id, order_date
---
select distinct status, upper(status) as loud from raw_orders order by status
---
select status, store_id, count(1) as n from raw_orders where order_date >= add_months(current_date(), -12) group by status, store_id having n > 10
---
select t.status, t.total, t.total * 100 / sum(t.total) over () as pct from (select status, sum(order_total) as total from raw_orders group by status) t
---
select from_csv(tags, 'a INT, b STRING') as c, to_csv(struct(qty, price)) as csv, from_xml('<a><b>1</b></a>', 'b INT') as x, xpath_string('<a>1</a>', 'a') as xs, schema_of_csv('1,a') as sc from ev
---
select user_id, amount, sum(amount) over (order by ts range between unbounded preceding and current row) as r, sum(amount) over (partition by user_id order by cast(ts as date) range between interval 7 days preceding and interval 1 day preceding) as prev7, count(*) filter (where is_ok) over (partition by user_id) as ok_n, avg(price) over (partition by channel order by day rows between 3 preceding and 1 following) as sm from ev
---
select user_id, collect_list(channel) over (partition by user_id order by ts) as path, array_join(collect_list(channel) over (partition by user_id order by ts rows between 2 preceding and current row), '>') as last3, concat_ws('>', collect_list(channel) over (partition by user_id)) as whole from ev
---
select user_id, min(ts) as first_ts, max(ts) as last_ts, max(ts) - min(ts) as span, (unix_timestamp(max(ts)) - unix_timestamp(min(ts))) / 3600 as hours, datediff(max(day), min(day)) + 1 as days, count(distinct day) / (datediff(max(day), min(day)) + 1) as density, date_format(min(ts), 'E') as dow from ev group by user_id
---
with f as (select user_id, datediff(date '2024-12-31', max(day)) as recency, count(*) as frequency, sum(amount) as monetary from ev group by user_id)
select user_id, ntile(5) over (order by recency desc) as r, ntile(5) over (order by frequency) as f, ntile(5) over (order by monetary) as m, concat(ntile(5) over (order by recency desc), ntile(5) over (order by frequency)) as rf, ln(1 + monetary) as log_m, monetary / frequency as aov from f
---
select user_id, sum(if(channel = 'web', amount, 0)) as web, sum(case when channel = 'app' then amount end) as app, sum(case when channel = 'app' then 1 else 0 end) as app_n, avg(case when is_ok then price end) as ok_price, count(if(is_ok, 1, null)) as ok_n, max(if(day > date '2024-01-01', ts, null)) as recent, sum(cast(is_ok as int)) as oks from ev group by user_id
---
select user_id, coalesce(try_cast(tags as int), -1) as ti, try_divide(amount, qty) as td, try_add(qty, small) as ta, try_subtract(amount, 1) as tsu, try_multiply(qty, 2) as tm, isnull(qty) as inu, isnotnull(qty) as inn, qty <=> small as eqn, equal_null(qty, 1) as en, isnan(price) as nn, nanvl(price, 0) as nv, assert_true(qty > 0) as at_ from ev
---
select a.loan_id, a.month, b.month as next_month, b.late_days from payments_monthly a join payments_monthly b on a.loan_id = b.loan_id and b.month = add_months(a.month, 1)
---
select l.grade, p.month, sum(p.paid) as paid, sum(p.due) as due, sum(p.paid) / nullif(sum(p.due), 0) as rate, count(distinct p.loan_id) as n, sum(l.principal) as principal from loans l join payments_monthly p using (loan_id) group by l.grade, p.month
---
select loan_id, cast(principal as decimal(38, 2)) * rate as i1, principal * 100 as cents, principal + balance as pb, principal * balance as pbm, balance / 7 as b7, balance * 1.5 as b15, round(balance, 2) as b2, round(principal, -2) as hundreds, truncate(rate, 2) as tr, floor(balance) as fb, ceil(rate, 2) as cr, avg(balance) over () as ab, sum(balance) over (partition by grade) as sb, rate * rate as rr, 1 / rate as inv, 1 - rate as one_less, -rate as neg, sqrt(principal) as sq, principal % 1000 as md, principal div 1000 as dv from loans
---
select *, principal / term_months as per_month, grade in ('A', 'B') as is_prime, case when fico >= 720 then 'high' when fico >= 650 then 'mid' end as band from loans
---
select struct(*) as whole from usr
---
select count(*) as n, count(distinct *) as nd from usr
---
select e.*, u.* except (user_id) from ev e left join usr u using (user_id)
---
select max(e.amount) over (partition by e.user_id) as m, first(e.channel) over (partition by e.user_id order by e.ts) as fc, sum(e.qty) over () as tot, e.qty * 1.0 / sum(e.qty) over () as sh from ev e
---
select t.k, t.v from ev lateral view explode(attrs) t as k, v where k like 'utm%'
---
select user_id, inline(items) from ev
---
select posexplode(items) as (p, item) from ev
---
select user_id, explode_outer(clicks) as c, day from ev
---
select user_id, filter(items, i -> i.qty > 1 and i.price < 10)[0].sku as s, size(filter(items, i -> i.qty > 1)) as n, transform(items, i -> named_struct('sku', i.sku, 'total', i.qty * i.price)) as lines, array_max(transform(items, i -> i.price)) as dearest, map_from_entries(transform(items, i -> struct(i.sku as k, i.qty as q))) as by_sku, exists(items, i -> i.sku = 'x') as has_x, array_sort(items, (a, b) -> case when a.price < b.price then -1 when a.price > b.price then 1 else 0 end)[0].sku as cheapest, flatten(transform(items, i -> array_repeat(i.sku, i.qty))) as each from ev
---
select date_trunc('week', day) as w, date_trunc('quarter', ts) as q, trunc(day, 'week') as tw, make_timestamp(2024, 1, 2, 3, 4, 5) as mt, make_dt_interval(1) as mdi, make_ym_interval(1, 2) as myi, timestampadd(minute, 5, tn) as t5, ts::timestamp_ntz as ntz, cast(tn as date) as td, date '2024-02-29' + interval '1' year as leap, interval '1 2:03:04' day to second as i1, interval 3 months as i3, ts between timestamp '2024-01-01' and current_timestamp() as in_year, session_window(ts, '5 minutes') as sw from ev group by all
---
select session_window.start as s, session_window.end as e, user_id, count(*) as n, sum(amount) as total from ev group by session_window(ts, '10 minutes'), user_id
---
select window(ts, '10 minutes', '5 minutes') as w, channel, avg(price) as p from ev group by 1, 2
---
select id, jan + feb + mar as q1, (jan + feb + mar) / 3 as mean_, greatest(jan, feb, mar) as best, array(jan, feb, mar) as arr, array_max(array(jan, feb, mar)) as mx, struct(jan, feb) as s, map('jan', jan, 'feb', feb) as m, jan > feb and feb > mar as falls, case greatest(jan, feb, mar) when jan then 'jan' when feb then 'feb' else 'mar' end as best_month from wide
---
from ev |> where qty > 0 |> aggregate sum(amount) as total group by user_id |> where total > 10 |> select user_id, total
---
select user_id, total, total * 2 as twice, twice + 1 as more from (select user_id, sum(amount) as total from ev group by user_id)
---
select u.country, approx_count_distinct(e.user_id) as people, sum(e.amount) as total, sum(e.amount) / approx_count_distinct(e.user_id) as per_head, collect_list(distinct e.channel) as ch, max(u.score) as best, corr(e.price, u.score) as c, min(u.signup) as since from ev e join usr u on e.user_id = u.user_id where u.country is not null group by u.country order by total desc nulls last limit 20
---
values (1, 'a', 2.5), (2, 'b', null)
---
select a, b from values (1, 'x'), (2, 'y') as t(a, b)
---
select id, id * 2 as twice from range(10)
---
select user_id, amount, count(*) over (partition by user_id order by ts range between interval 1 day preceding and current row) as n1d, avg(amount) over (partition by user_id order by ts range between interval 30 days preceding and interval 1 second preceding) as m30, amount / avg(amount) over (partition by user_id order by ts rows between 10 preceding and 1 preceding) as rel, ts - lag(ts) over (partition by user_id order by ts) as gap, cast(ts - lag(ts) over (partition by user_id order by ts) as int) as gap_s from ev
---
select /*+ broadcast(u) */ e.user_id, u.name from ev e join usr u on e.user_id = u.user_id tablesample (10 percent)
---
select user_id, ts, sum(amount) over (partition by user_id order by ts) - amount as before_total, row_number() over (partition by user_id order by ts) = 1 as is_first, date_diff(day, first_value(day) over (partition by user_id order by ts)) as tenure, month(day) in (12, 1, 2) as winter, dayofweek(day) in (1, 7) as weekend, sin(2 * pi() * hour(ts) / 24) as hour_sin, cos(2 * pi() * hour(ts) / 24) as hour_cos, channel || '_' || coalesce(addr.city, 'none') as cross_, ln(amount + 1) as log_amount, cast(amount > 100 as double) as is_large from ev
---
select r.sensor_id, r.day, r.temperature, p.temperature as prev_temperature, r.temperature - p.temperature as change from readings r left join readings p on p.sensor_id = r.sensor_id and p.day = date_sub(r.day, 1)
---
with base as (select sensor_id, measured_at, humidity, lag(humidity) over (partition by sensor_id order by measured_at) as before_ from readings), marked as (select *, case when before_ is null or abs(humidity - before_) > 5 then 1 else 0 end as is_jump from base)
select sensor_id, sum(is_jump) as jumps, count(*) as n, sum(is_jump) / count(*) as rate, max(if(is_jump = 1, measured_at, null)) as last_jump, avg(humidity - before_) as drift from marked group by sensor_id
---
select sensor_id, collect_list(struct(measured_at, temperature)) as series, transform(array_sort(collect_list(struct(measured_at, temperature))), x -> x.temperature) as ordered, approx_percentile(temperature, 0.99) as p99, max_by(measured_at, temperature) as hottest_at, count_if(temperature > 30) as hot, sum(temperature) / count(temperature) as mean_t from readings where day >= current_date() - interval 30 days group by sensor_id
---
select visitor_id, max(case when event = 'view' then event_ts end) as viewed, max(case when event = 'cart' then event_ts end) as carted, max(case when event = 'buy' then event_ts end) as bought, max(case when event = 'buy' then 1 else 0 end) = 1 as converted, count_if(event = 'view') as views, timestampdiff(second, min(event_ts), max(case when event = 'buy' then event_ts end)) as to_buy from clicks group by visitor_id
---
select date(event_ts) as d, count(distinct visitor_id) as dau, count(distinct session_id) / count(distinct visitor_id) as sessions_each, sum(if(event = 'buy', 1, 0)) / nullif(sum(if(event = 'view', 1, 0)), 0) as conversion, round(avg(scroll), 1) as scroll, hll_sketch_estimate(hll_sketch_agg(visitor_id)) as approx_dau, bitmap_count(bitmap_construct_agg(bitmap_bit_position(visitor_id))) as bm from clicks group by date(event_ts)
---
select dc + dl as a, dc * dl as b, dl / dc as c, dk + 1 as d_, dk * dk as e, dz * 3 as f_, dz + dc as g, dl - dk as h, dc % dz as i_, dk / 3 as j, avg(dl) over () as k, sum(dk) over () as l, coalesce(dc, dl) as m_, case when bo then dz else dc end as n, greatest(dc, i) as o, dc + b as p, dc + t as q, dc * sm as r, dc / d as s_, round(dl, 4) as u, abs(dz) as v, dc > d as w, cast(dl as decimal(10, 2)) as x, bround(dc, 1) as y, negative(dk) as z from combined
---
select st.a + 1 as a1, ar[0].b as b0, ar.a as as2, m['k'] + 1 as mk, mb['k'] * 2 as mbk, element_at(mb, 'x') as ex, map_values(mb) as mv, ad[0] + 1 as ad0, array_max(ad) as adm, aggregate(ad, cast(0 as decimal(10, 1)), (x, y) -> cast(x + y as decimal(10, 1))) as ads, concat(ai, ab) as cc, array_union(ai, ab) as au, transform(ad, x -> x * 2) as ad2, map_zip_with(m, mb, (k, x, y) -> x + y) as mz, named_struct('s', st, 'l', ai) as ns from combined
---
select iv + interval 1 day as a, iv * 2 as b_, im + im as c, iy * 3 as d_, ih / 2 as e, ts + iv as f_, da + im as g, da + iv as h, ts - ts as i_, da - da as j, tn - ts as k, ts + ih as l, extract(day from iv) as m_, cast(iv as string) as n, abs(ih) as o, sum(iv) over () as p, avg(ih) over () as q, greatest(iv, interval 1 day) as r, ts > ts - iv as s_, -im as u from combined
---
select try_cast(s as decimal(10, 2)) as a, cast(s as boolean) as b_, cast(i as string) as c, cast(d as decimal(5, 1)) as d_, cast(bo as int) as e, cast(da as timestamp) as f_, cast(ts as date) as g, cast(b as timestamp) as h, cast(s as date) as i_, cast(st as string) as j, cast(ai as array<string>) as k, cast(m as map<string, bigint>) as l, s::int as m_, int(s) as n, double(i) as o, string(d) as p, bigint(s) as q, date(s) as r, boolean(s) as s_, float(i) as u, decimal(s) as v, binary(s) as w, cast(va as int) as x, cast(iv as int) as y from combined
---
with supplies as (select sku, count(*) as n_tags, explode(tags) as tag from raw_products group by sku, tags), perishable as (select sku, max(tag = 'perishable') as is_perishable from supplies group by sku)
select p.sku, p.name, coalesce(s.is_perishable, false) as is_perishable, p.price / 100.0 as price, case when s.is_perishable then 'cold' else 'dry' end as storage from raw_products p left join perishable s on s.sku = p.sku
---
with joined as (select o.id, o.store_id, o.ordered_at, o.order_total, c.country_code, c.marketing_opt_in from raw_orders o left join raw_customers c on c.id = o.user_id)
select store_id, country_code, date_trunc('DAY', ordered_at) as day, count(*) as orders, sum(order_total) as revenue, avg(order_total) as aov, sum(order_total) filter (where marketing_opt_in) as opted_revenue, count(distinct id) = count(*) as is_unique from joined group by 1, 2, 3
---
select user_id, min(ordered_at) as first_ordered_at, max(ordered_at) as last_ordered_at, count(*) > 1 as is_repeat, sum(subtotal) as spend_pretax, sum(tax_paid) as tax, sum(order_total) as spend, if(count(*) > 1, 'returning', 'new') as customer_type from raw_orders group by user_id
---
select md5(concat_ws('-', coalesce(cast(id as string), '_null_'), coalesce(cast(order_date as string), '_null_'))) as surrogate_key, id, order_date, current_timestamp() as loaded_at, cast(null as timestamp) as valid_to, lead(ordered_at) over (partition by id order by ordered_at) is null as is_current from raw_orders
---
select date_day, year(date_day) as y, concat('Q', quarter(date_day)) as q, date_format(date_day, 'MMMM') as month_name, last_day(date_day) as month_end, dayofweek(date_day) in (1, 7) as is_weekend, date_add(date_day, -364) as same_day_last_year, trunc(date_day, 'WEEK') as week_start, make_date(year(date_day), 1, 1) as year_start, datediff(date_day, trunc(date_day, 'YEAR')) + 1 as day_no from (select explode(sequence(to_date('2020-01-01'), to_date('2020-12-31'), interval 1 day)) as date_day)
---
select s.id, s.name, count(o.id) as orders, sum(o.order_total) as revenue, sum(o.order_total) / nullif(count(o.id), 0) as aov, sum(coalesce(o.order_total, 0)) * s.tax_rate as tax, min(s.opened_at) as opened, datediff(max(o.order_date), to_date(min(s.opened_at))) as days_open from raw_stores s left join raw_orders o on o.store_id = s.id group by s.id, s.name, s.tax_rate
---
select store_id, collect_list(named_struct('day', order_date, 'total', order_total)) as history, map_from_entries(collect_list(struct(status, order_total))) as by_status, aggregate(collect_list(order_total), cast(0 as decimal(18, 2)), (a, x) -> cast(a + x as decimal(18, 2))) as summed from raw_orders group by store_id
---
select e.user_id, e.day, sum(e.amount) as spent, coalesce(sum(sum(e.amount)) over (partition by e.user_id order by e.day rows between 7 preceding and 1 preceding), 0) as spent_7, count(*) / 7.0 as per_day, max(e.price) - avg(e.price) as peak, u.signup < min(e.ts) as after_signup from ev e join usr u on u.user_id = e.user_id group by e.user_id, e.day, u.signup
---
select a.user_id, a.ts, max_by(b.amount, b.ts) as last_amount, count(b.ts) as earlier, sum(b.qty) as qty_before, max(b.ts) as last_ts, a.ts - max(b.ts) as since from ev a left join ev b on b.user_id = a.user_id and b.ts < a.ts group by a.user_id, a.ts
---
select sensor_id, day, humidity, (humidity - min(humidity) over s) / nullif(max(humidity) over s - min(humidity) over s, 0) as scaled, ntile(10) over (order by humidity) as decile, humidity > percentile_approx(humidity, 0.95) over s as is_extreme, row_number() over (s order by measured_at) as nth, lag(humidity, 24) over (s order by measured_at) as day_ago from readings window s as (partition by sensor_id)
---
select try_to_number(tags, '999.99') as n, cast(get_json_object(payload, '$.total') as decimal(12, 2)) as total, from_json(payload, 'total decimal(12,2), lines array<struct<sku:string,qty:int>>').lines as lines, size(from_json(payload, 'array<int>')) as k, to_json(struct(user_id, amount, day)) as doc, to_json(array(qty, small)) as arr, is_valid_utf8(payload) as ok from ev
---
select b.band, count(*) as n, sum(l.principal) as principal, round(avg(l.rate) * 100, 2) as pct, sum(case when l.defaulted then l.balance else 0 end) / sum(l.balance) as loss_rate, max(l.fico) as fico, min(l.issued) as oldest from loans l join (values ('low', 300, 600), ('mid', 601, 700), ('high', 701, 850)) as b(band, lo, hi) on l.fico between b.lo and b.hi group by b.band
