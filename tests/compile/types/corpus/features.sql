SELECT user_id, ts, sum(amount) OVER (PARTITION BY user_id ORDER BY ts ROWS BETWEEN 6 PRECEDING AND CURRENT ROW) AS sum7, avg(price) OVER (PARTITION BY user_id ORDER BY ts ROWS BETWEEN 6 PRECEDING AND 1 PRECEDING) AS avg6 FROM ev
---
SELECT user_id, day, count(*) OVER (PARTITION BY user_id ORDER BY day RANGE BETWEEN INTERVAL 7 DAYS PRECEDING AND CURRENT ROW) AS n7, max(qty) OVER w AS mx FROM ev WINDOW w AS (PARTITION BY user_id ORDER BY day)
---
SELECT user_id, lag(amount) OVER (PARTITION BY user_id ORDER BY ts) AS prev_amount, lead(qty, 1, 0) OVER (PARTITION BY user_id ORDER BY ts) AS next_qty, amount - lag(amount, 1) OVER (PARTITION BY user_id ORDER BY ts) AS d FROM ev
---
SELECT date_trunc('month', ts) AS m, trunc(day, 'MM') AS m2, count(1) AS n, count(DISTINCT user_id) AS u FROM ev GROUP BY date_trunc('month', ts), trunc(day, 'MM')
---
SELECT user_id, datediff(current_date(), max(day)) AS recency, months_between(max(day), min(day)) AS tenure, date_add(max(day), 30) AS nxt, date_sub(max(day), 30) AS prv, add_months(max(day), 2) AS am, last_day(max(day)) AS ld FROM ev GROUP BY user_id
---
SELECT year(ts) AS y, month(ts) AS mo, dayofweek(day) AS dw, weekofyear(day) AS wk, hour(ts) AS h, quarter(day) AS q, dayofmonth(day) AS dm, dayofyear(day) AS dy, weekday(day) AS wd, minute(ts) AS mi, extract(YEAR FROM ts) AS ey, extract(SECOND FROM ts) AS es, date_part('doy', ts) AS dp FROM ev
---
SELECT regexp_extract(channel, '([a-z]+)', 1) AS rx, regexp_replace(channel, 'a', 'b') AS rr, channel RLIKE 'x.*' AS rl, regexp_like(channel, 'z') AS rlk, regexp_count(channel, 'a') AS rc, regexp_extract_all(channel, '(a)') AS rea FROM ev
---
SELECT user_id, tag FROM ev LATERAL VIEW explode(split(tags, ',')) t AS tag
---
SELECT user_id, pos, tag FROM ev LATERAL VIEW OUTER posexplode(split(tags, ',')) t AS pos, tag
---
SELECT user_id, explode(clicks) AS click FROM ev
---
SELECT user_id, k, v FROM ev LATERAL VIEW explode(attrs) m AS k, v
---
SELECT user_id, attrs['color'] AS color, map_keys(attrs) AS mk, map_values(attrs) AS mv, size(attrs) AS sz, element_at(attrs, 'x') AS ea, map('a', 1, 'b', 2) AS mm, map_from_arrays(array('a'), array(1.5)) AS mfa FROM ev
---
SELECT addr.city, addr.zip AS zip, named_struct('a', qty, 'b', price) AS ns, struct(user_id, qty) AS st, struct(qty AS x, amount AS y) AS st2 FROM ev
---
SELECT transform(clicks, x -> x + 1) AS t1, filter(clicks, x -> x > 2) AS f1, aggregate(clicks, 0, (acc, x) -> acc + x) AS a1, exists(clicks, x -> x = 1) AS e1, forall(clicks, x -> x > 0) AS fa FROM ev
---
SELECT zip_with(clicks, clicks, (x, y) -> x * y) AS zw, transform(clicks, (x, i) -> x * i) AS ti, map_filter(attrs, (k, v) -> k = 'a') AS mf, transform_values(attrs, (k, v) -> length(v)) AS tv, reduce(clicks, 0.0D, (a, x) -> a + x) AS rd FROM ev
---
SELECT user_id, collect_list(channel) AS cl, collect_set(qty) AS cs, sort_array(collect_list(price)) AS sa, array_agg(day) AS aa FROM ev GROUP BY user_id
---
SELECT percentile_approx(price, 0.5) AS p50, percentile_approx(price, array(0.25, 0.75)) AS p, approx_count_distinct(user_id) AS acd, percentile(qty, 0.9) AS pq, median(price) AS med, approx_percentile(amount, 0.5) AS pa FROM ev
---
SELECT * FROM (SELECT user_id, channel, price FROM ev) PIVOT (sum(price) AS s FOR channel IN ('web' AS web, 'app' AS app))
---
SELECT * FROM (SELECT user_id, channel, price, qty FROM ev) PIVOT (sum(price) AS s, max(qty) AS m FOR channel IN ('web', 'app'))
---
SELECT * FROM wide UNPIVOT (val FOR mon IN (jan, feb, mar))
---
SELECT country, channel, grouping(country) AS g, grouping_id() AS gid, sum(amount) AS s FROM ev JOIN usr USING (user_id) GROUP BY GROUPING SETS ((country, channel), (country), ())
---
SELECT country, channel, sum(qty) AS s FROM ev e JOIN usr u ON e.user_id = u.user_id GROUP BY CUBE (country, channel)
---
SELECT country, channel, avg(amount) AS a, count(*) AS n FROM ev e JOIN usr u ON e.user_id = u.user_id GROUP BY ROLLUP (country, channel)
---
SELECT id, mon, v FROM wide LATERAL VIEW stack(3, 'jan', jan, 'feb', feb, 'mar', mar) s AS mon, v
---
SELECT id, stack(2, 'jan', jan, 'feb', feb) AS (mon, v) FROM wide
---
SELECT get_json_object(payload, '$.a.b') AS gj, from_json(payload, 'a INT, b STRING') AS fj, from_json(payload, 'a INT, b DOUBLE').b AS fjb, to_json(addr) AS tj, json_tuple(payload, 'a', 'b') AS (ja, jb) FROM ev
---
SELECT try_cast(channel AS int) AS tc, cast(channel AS double) AS c1, CAST(amount AS decimal(12,4)) AS c2, int(price) AS c3, channel::bigint AS c4, date('2020-01-01') AS c5, double(qty) AS c6, string(qty) AS c7 FROM ev
---
SELECT amount + dec2 AS a, amount - 1 AS b, amount * dec2 AS c, amount / dec2 AS d, amount % 3 AS e, amount * qty AS f, amount * price AS g, -amount AS h, amount + 1.5 AS i, amount * 1.1 AS j, amount / qty AS k FROM ev
---
SELECT qty div 2 AS a, qty / 2 AS b, qty % 2 AS c, user_id div qty AS d, small + tny AS e, small * qty AS f, f * 2 AS g, f + price AS h, qty + 1L AS i, tny / 2 AS k, 7 AS lit, 1.5 AS litd, 1e3 AS lite, 2.5D AS litdd, 100Y AS lity, 3S AS lits, 1.5BD AS litbd, 3000000000 AS litbig, 1.0F AS litf FROM ev
---
SELECT sum(amount) AS s1, avg(amount) AS a1, sum(qty) AS s2, avg(qty) AS a2, sum(price) AS s3, min(amount) AS m1, max(ts) AS m2, stddev(price) AS sd, var_samp(qty) AS vs, corr(price, qty) AS cr, covar_samp(price, qty) AS cv, skewness(price) AS sk, kurtosis(price) AS ku, sum(f) AS sf, sum(small) AS ss FROM ev
---
SELECT ts + INTERVAL 1 DAY AS a, day + INTERVAL 1 MONTH AS b, day + 7 AS c, ts - INTERVAL '1' HOUR AS d, ts - ts AS e, day - day AS f, INTERVAL 1 DAY AS g, INTERVAL '1-2' YEAR TO MONTH AS h, make_interval(0,1) AS i, day - INTERVAL 2 DAYS AS j FROM ev
---
SELECT tn AS t, cast(ts AS timestamp_ntz) AS c, to_timestamp_ntz('2020-01-01 00:00:00') AS d, TIMESTAMP_NTZ '2020-01-01 00:00:00' AS e, tn + INTERVAL 1 HOUR AS f, date_trunc('day', tn) AS g, TIMESTAMP '2020-01-01' AS h, DATE '2020-01-01' AS i FROM ev
---
SELECT channel ILIKE 'a%' AS a, channel LIKE 'b%' AS b, channel LIKE ANY ('a%', 'b%') AS c, channel IN ('x','y') AS d, channel BETWEEN 'a' AND 'b' AS e, channel IS NULL AS f, channel <=> 'x' AS g, NOT is_ok AS h FROM ev
---
SELECT user_id, ts, rn FROM (SELECT user_id, ts, row_number() OVER (PARTITION BY user_id ORDER BY ts DESC) AS rn FROM ev) WHERE rn = 1
---
SELECT user_id, rank() OVER w AS r, dense_rank() OVER w AS dr, percent_rank() OVER w AS pr, cume_dist() OVER w AS cd, ntile(4) OVER w AS nt, first_value(price) OVER w AS fv, nth_value(qty, 2) OVER w AS nv FROM ev WINDOW w AS (PARTITION BY user_id ORDER BY ts)
---
SELECT price * 2 AS dbl, dbl + 1 AS dbl1, dbl1 / 3 AS r FROM ev
---
SELECT * EXCEPT (payload, bin) FROM ev
---
SELECT e.* EXCEPT (payload), u.country FROM ev e JOIN usr u ON e.user_id = u.user_id
---
SELECT country, born, sum(score) AS s FROM usr GROUP BY ALL
---
SELECT upper(name) AS a, length(name) AS b, substr(name, 1, 2) AS c, concat(name, '-', email) AS d, concat_ws(',', name, email) AS e, trim(name) AS f, lpad(name, 5, '0') AS g, instr(name, 'a') AS h, locate('a', name) AS i, split(email, '@') AS j, split_part(email, '@', 2) AS k, reverse(name) AS l, initcap(name) AS m, translate(name, 'a', 'b') AS n, name || email AS o, levenshtein(name, email) AS p, soundex(name) AS q, repeat(name, 2) AS r, left(name, 1) AS s, char_length(name) AS t, substring_index(email, '.', 1) AS u, ascii(name) AS v, startswith(name, 'a') AS w, contains(name, 'b') AS x, format_string('%s', name) AS y, format_number(score, 2) AS z FROM usr
---
SELECT hash(name) AS a, xxhash64(name, email) AS b, md5(name) AS c, sha2(name, 256) AS d, crc32(name) AS e, pmod(hash(user_id), 10) AS f, abs(xxhash64(user_id)) % 100 AS g, sha1(name) AS h, base64(cast(name AS binary)) AS i, abs(hash(user_id)) % 16 AS j FROM usr
---
SELECT width_bucket(score, 0, 100, 10) AS wb, ntile(10) OVER (ORDER BY score) AS dec, round(score, 2) AS r, round(score) AS r0, ceil(score) AS c, floor(score) AS f, bround(score, 1) AS br, sqrt(score) AS s, log(score) AS l, log1p(score) AS lp, exp(score) AS e, pow(score, 2) AS p, abs(score) AS a, sign(score) AS sg, greatest(score, 0) AS g, least(score, 1) AS ls, log2(score) AS l2, log10(score) AS l10, sin(score) AS sn, degrees(score) AS dg FROM usr
---
SELECT round(amount, 1) AS r, ceil(amount) AS c, floor(amount) AS f, round(qty) AS rq, abs(amount) AS a, round(amount) AS r0, abs(qty) AS aq, ceil(qty) AS cq, greatest(amount, qty) AS g, least(qty, user_id) AS l, round(user_id, -2) AS rb, floor(price / 10) AS fp FROM ev
---
SELECT user_id, any_value(channel) AS av, first(price, true) AS f1, last(price) IGNORE NULLS AS l1, bool_and(is_ok) AS ba, bool_or(is_ok) AS bo, every(is_ok) AS ev1, some(is_ok) AS sm, count_if(qty > 1) AS ci, max_by(channel, ts) AS mb, min_by(qty, ts) AS mnb, mode(channel) AS md, count(DISTINCT channel, qty) AS cd FROM ev GROUP BY user_id
---
SELECT first_value(price) IGNORE NULLS OVER (PARTITION BY user_id ORDER BY ts) AS fv, last_value(price, true) OVER (PARTITION BY user_id ORDER BY ts) AS lv, first(qty) OVER (PARTITION BY user_id ORDER BY ts) AS f FROM ev
---
SELECT try_divide(qty, 0) AS a, try_divide(amount, dec2) AS b, try_add(qty, 1) AS c, try_subtract(user_id, 1) AS d, try_multiply(price, 2) AS e, try_sum(qty) OVER () AS f, try_avg(price) OVER () AS g, try_to_timestamp(channel) AS h, try_element_at(clicks, 1) AS i, try_to_number(channel, '999') AS j FROM ev
---
SELECT CASE WHEN qty > 1 THEN 1 ELSE 0 END AS a, CASE WHEN qty > 1 THEN amount ELSE 0 END AS b, CASE WHEN qty > 1 THEN price END AS c, CASE qty WHEN 1 THEN 'x' ELSE NULL END AS d, IF(is_ok, qty, user_id) AS e, IF(is_ok, 1, 0.5) AS f, IF(is_ok, NULL, 3) AS g, CASE WHEN is_ok THEN day ELSE ts END AS h, NULL AS nn FROM ev
---
SELECT coalesce(amount, 0) AS a, coalesce(qty, 0) AS b, coalesce(price, qty) AS c, nvl(channel, 'x') AS d, ifnull(qty, user_id) AS e, nullif(qty, 0) AS f, nvl2(qty, 1, 2.0) AS g, coalesce(amount, dec2) AS h, nanvl(price, 0) AS i, coalesce(NULL, qty) AS j, coalesce(amount, 0.0) AS k, zeroifnull(qty) AS l, nullifzero(qty) AS m FROM ev
---
SELECT array(1, 2, 3) AS a, array(1, 2.5) AS b, array_contains(clicks, 1) AS c, size(clicks) AS d, clicks[0] AS e, slice(clicks, 1, 2) AS f, array_distinct(clicks) AS g, array_join(split(tags, ','), '-') AS h, flatten(array(clicks, clicks)) AS i, sequence(1, 5) AS j, array_max(clicks) AS k, array_position(clicks, 3) AS l, arrays_zip(clicks, clicks) AS m, array_union(clicks, clicks) AS n, cardinality(clicks) AS o, element_at(clicks, 1) AS p, array_repeat(qty, 3) AS q, shuffle(clicks) AS r, array_remove(clicks, 1) AS s, array_sort(clicks) AS t, array_size(clicks) AS u, array_append(clicks, 4) AS v, array_compact(clicks) AS w, get(clicks, 0) AS x FROM ev
---
SELECT user_id, inline(items) FROM ev
---
SELECT items.sku AS skus, items[0].price AS p0, transform(items, i -> i.qty * i.price) AS rev, aggregate(items, 0D, (a, i) -> a + i.price) AS tot, filter(items, i -> i.qty > 1)[0].sku AS s FROM ev
---
SELECT to_date(channel) AS a, to_date(channel, 'yyyy-MM-dd') AS b, to_timestamp(channel) AS c, unix_timestamp(ts) AS d, from_unixtime(user_id) AS e, date_format(ts, 'yyyy') AS f, to_unix_timestamp(ts) AS g, timestamp_seconds(user_id) AS h, date_diff(day, day) AS i, timestampdiff(HOUR, ts, ts) AS j, timestampadd(DAY, 1, ts) AS k, dateadd(DAY, 1, day) AS l, from_utc_timestamp(ts, 'UTC') AS m, make_date(2020, 1, 1) AS n, next_day(day, 'MO') AS o, current_timestamp() AS p, now() AS q, unix_date(day) AS r, datediff(DAY, day, ts) AS s, window(ts, '1 hour').start AS t, date_from_unix_date(1) AS u, unix_seconds(ts) AS v FROM ev
---
WITH base AS (SELECT user_id, sum(amount) AS spend, count(*) AS n FROM ev GROUP BY user_id), z AS (SELECT *, (spend - avg(spend) OVER ()) / stddev(spend) OVER () AS zs FROM base) SELECT user_id, zs, spend / n AS aov, n / sum(n) OVER () AS share FROM z
---
SELECT user_id, 'a' AS src, qty AS v FROM ev UNION ALL SELECT user_id, 'b', price FROM ev UNION ALL SELECT id, 'c', 0 FROM wide
---
SELECT u.user_id, coalesce(s.total, 0) AS total, (SELECT max(amount) FROM ev) AS gmax, EXISTS (SELECT 1 FROM ev WHERE ev.user_id = u.user_id) AS has FROM usr u LEFT JOIN (SELECT user_id, sum(amount) AS total FROM ev GROUP BY user_id) s ON u.user_id = s.user_id
---
SELECT u.name, t.day FROM usr u LEFT SEMI JOIN ev e ON u.user_id = e.user_id CROSS JOIN (SELECT DISTINCT day FROM ev) t
---
SELECT u.*, x.tot FROM usr u, LATERAL (SELECT sum(amount) AS tot FROM ev WHERE ev.user_id = u.user_id) x
---
SELECT count(*), sum(qty), avg(price) + 1, max(channel), qty + 1, upper(channel), CASE WHEN qty > 1 THEN 1 END, cast(qty AS string), count(DISTINCT user_id) FROM ev GROUP BY qty, channel
---
SELECT count(*) FILTER (WHERE qty > 1) AS a, sum(amount) FILTER (WHERE is_ok) AS b, sum(CASE WHEN channel = 'web' THEN 1 ELSE 0 END) AS c, sum(IF(is_ok, amount, 0)) AS d, avg(CASE WHEN is_ok THEN 1.0 ELSE 0.0 END) AS e, sum(cast(is_ok AS int)) AS f, mean(qty) AS g, sum(qty * price) AS h, sum(amount * qty) / count(*) AS i, max(struct(ts, channel)).channel AS j FROM ev
---
SELECT * FROM VALUES (1, 'a', 2.5), (2, 'b', 3.5) AS t(id, name, v)
---
SELECT id, id * 2 AS d FROM range(10)
---
SELECT user_id, histogram_numeric(price, 5) AS h, bit_and(qty) AS ba, bit_count(qty) AS bc, qty & 1 AS b1, shiftleft(qty, 2) AS sl, regr_slope(price, qty) AS rs, percentile_cont(0.5) WITHIN GROUP (ORDER BY price) AS pc, listagg(channel, ',') AS la FROM ev GROUP BY user_id, qty
---
SELECT typeof(qty) AS a, uuid() AS b, rand() AS c, randn(1) AS d, monotonically_increasing_id() AS e, input_file_name() AS f, current_user() AS g, isnan(price) AS h, isnull(qty) AS i, isnotnull(qty) AS j, bin(qty) AS k, hex(qty) AS l, conv('10', 2, 10) AS m, parse_url(email, 'HOST') AS n, str_to_map('a:1') AS o, mask(channel) AS p, luhn_check('1') AS q, spark_partition_id() AS r, decode(bin, 'utf-8') AS s, sentences(channel) AS t FROM ev CROSS JOIN (SELECT 'x' AS email)
---
FROM ev |> WHERE qty > 1 |> AGGREGATE sum(amount) AS s GROUP BY user_id |> SELECT user_id, s
---
SELECT user_id, s.*, posexplode(clicks) AS (p, c) FROM (SELECT user_id, addr AS s, clicks FROM ev)
---
SELECT `user_id` AS `User Id`, Channel, QTY AS Q, Ev.Price FROM ev
---
SELECT user_id, cast(amount AS double) / nullif(cast(qty AS double), 0) AS unit, (amount - avg(amount) OVER (PARTITION BY channel)) / nullif(stddev_pop(amount) OVER (PARTITION BY channel), 0) AS z, percent_rank() OVER (ORDER BY amount) AS pct FROM ev
---
SELECT user_id, sum(amount) AS s FROM ev GROUP BY user_id HAVING s > 10 ORDER BY s DESC NULLS LAST LIMIT 10
---
SELECT session_window.start AS ss, count(*) AS n FROM ev GROUP BY session_window(ts, '30 minutes')
---
SELECT e.user_id, tags_t.col FROM ev e LATERAL VIEW explode(e.clicks) tags_t
---
SELECT user_id, t.col FROM ev, LATERAL explode(clicks) AS t(col)
---
SELECT variant_get(parse_json(payload), '$.a', 'int') AS a, parse_json(payload) AS b, schema_of_json('{"a":1}') AS c FROM ev
---
SELECT e.user_id, e.ts, u.score FROM ev e JOIN usr u ON e.user_id = u.user_id AND u.signup <= e.ts WHERE e.day BETWEEN DATE '2024-01-01' AND add_months(DATE '2024-01-01', 1)
---
SELECT user_id, max_by(score, signup) AS latest, map_agg FROM (SELECT user_id, score, signup, map_from_entries(collect_list(struct(country, score)) OVER (PARTITION BY user_id)) AS map_agg FROM usr) GROUP BY user_id, map_agg
---
SELECT inline(arrays_zip(clicks, transform(clicks, x -> x * 0.5))) FROM ev
---
SELECT user_id, aggregate(clicks, named_struct('s', 0, 'n', 0), (a, x) -> named_struct('s', a.s + x, 'n', a.n + 1), a -> a.s / a.n) AS m FROM ev
