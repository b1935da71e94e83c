-- Each query is refused by Spark: what sqlml says of it, and between « and » what it underlines. Tables: checks_corpus.py.
-- compares 'day' (date) with 'ok' (boolean)
select c from t where «day > ok»
---
-- compares 'xs' (array<int>) with 'x' (int)
select «xs = x» as e from t
---
-- compares 'm' (map<string,int>) with 'm' (map<string,int>)
select «m = m» as e from t
---
-- compares 'x' (int) with 'day' (date)
select c from t where «x between 1 and day»
---
-- compares 'x' (int) with 'day' (date)
select c from t where «x in (1, day)»
---
-- compares 'day' (date) with
select c from t where «day in (select x from u)»
---
-- compares 'x' (int) with 'day' (date)
select case x when «day» then 1 end as k from t
---
-- compares 'day' (date) with 'ok' (boolean)
select «nullif(day, ok)» as k from t
---
-- compares 't.day' (date) with 'u.x' (int)
select t.c from t join u on «t.day = u.x»
---
-- compares 't.day' (date) with 'u.x' (int)
select t.c from t left semi join u on t.x = u.x and «t.day = u.x»
---
-- joins using 'day', which is date on one side and int on the other
select c from t join (select x as day from u) using («day»)
---
-- compares 'v' (variant) with 'c' (string)
select «v = c» as k from t
---
-- compares 'span' (interval day to second) with 'c' (string)
select «span < c» as k from t
---
-- adds 'day' (date) and 'd' (double)
select «day + d» as k from t
---
-- multiplies 'm' (map<string,int>) by '2' (int)
select «m * 2» as k from t
---
-- adds 'c' (string) and 'c' (string)
select «c + c» as k from t
---
-- subtracts 'ok' (boolean) from 'x' (int)
select «x - ok» as k from t
---
-- divides 'ts' (timestamp) by '2' (int)
select «ts / 2» as k from t
---
-- divides 'd' (double) by '2' (int)
select «d div 2» as k from t
---
-- divides 'xs' (array<int>) by '2' (int)
select «xs % 2» as k from t
---
-- calculates with 'd' (double) and '1' (int)
select «d & 1» as k from t
---
-- negates 'day' (date)
select «-day» as k from t
---
-- inverts the bits of 'c' (string)
select «~c» as k from t
---
-- has AND of 'x' (int), which is no condition
select ok and «x» as k from t
---
-- has OR of 'day' (date), which is no condition
select «day» or ok as k from t
---
-- has NOT of 'x' (int), which is no condition
select not «x» as k from t
---
-- puts 's' (struct<a:int,b:string>) and 'c' (string) together
select «s || c» as k from t
---
-- has a WHERE of 'x' (int), which is no condition
select c from t where «x»
---
-- has a WHERE of 'c' (string), which is no condition
select c from t where «c»
---
-- has an ON of 't.x + u.x' (int), which is no condition
select t.c from t join u on «t.x + u.x»
---
-- has a WHEN of 'x' (int), which is no condition
select case when «x» then 1 end as k from t
---
-- has an IF of 'day' (date), which is no condition
select if(«day», 1, 2) as k from t
---
-- has a FILTER by 'x' (int), which is no condition
select count(*) filter (where «x») as n from t
---
-- gives 'day' (date) and '0' (int) as one value
select «case when ok then day else 0 end» as k from t
---
-- gives 'day' (date) and 'x' (int) as one value
select «if(ok, day, x)» as k from t
---
-- gives 'ok' (boolean) and '0' (int) as one value
select «coalesce(ok, 0)» as k from t
---
-- gives 'x' (int) and 'day' (date) as one value
select «array(x, day)» as k from t
---
-- gives 'c' (string) and 'x' (int) as one value
select «greatest(c, x)» as k from t
---
-- sorts by 'm' (map<string,int>), whose values have no order
select «least(m, m)» as k from t
---
-- gives '1' (int) and 'current_date()' (date) as one value
select a from values (1), («current_date()») as w(a)
---
-- has a UNION of 'c': string and array<int>
select c, x from t union all select «xs», x from t
---
-- has an EXCEPT of 'day': date and int
select day from t except select «x» from t
---
-- has an INTERSECT of 'ok': boolean and map<string,int>
select ok from t intersect select «m» from t
---
-- sorts by 'm' (map<string,int>), whose values have no order
select c from t order by «m»
---
-- has SELECT DISTINCT of 'm' (map<string,int>), whose values cannot be compared
select distinct «m» from t
---
-- sorts by column 3, and returns 2
select c, x from t order by 1, «3»
---
-- sorts by column 2, and returns 1
select c from t union all select name from u order by «2»
---
-- sorts by column 0, and returns 1
select c from t order by «0»
---
-- groups by column 3, and selects 2
select c, count(*) as n from t group by «3»
---
-- groups by column 2, which is the aggregate 'count(*)'
select c, count(*) as n from t group by «2»
---
-- uses 'c' beside 'count(*)', without GROUP BY
select «c», count(*) as n from t
---
-- uses 'x' beside 'sum(d)', without GROUP BY
select sum(d) / «x» as k from t
---
-- uses '*' beside 'count(*)', without GROUP BY
select «*», count(*) as n from t
---
-- uses 'x' beside HAVING, without GROUP BY
select 1 as one from t having «x» > 1
---
-- uses 'x', which is neither grouped nor aggregated
select c, «x» from t group by c
---
-- uses 'x', which is neither grouped nor aggregated
select c, max(d) as m, coalesce(«x», 0) as k from t group by c
---
-- uses 'c', which is neither grouped nor aggregated
select upper(«c») as k, count(*) as n from t group by lower(c)
---
-- uses 's', which is neither grouped nor aggregated
select «s», count(*) as n from t group by s.a
---
-- uses 's.b', which is neither grouped nor aggregated
select «s.b», count(*) as n from t group by s.a
---
-- uses 'x', which is neither grouped nor aggregated
select c, count(*) as n from t group by c having «x» > 1
---
-- uses 'x', which is neither grouped nor aggregated
select c, count(*) as n from t group by c order by «x»
---
-- uses 'x', which is neither grouped nor aggregated
select c, «x», count(*) as n from t group by rollup (c)
---
-- uses 'x', which is neither grouped nor aggregated
select c, sum(«x») over (order by c) as r from t group by c
---
-- uses 'x', which is neither grouped nor aggregated
select c, rank() over (order by «x») as r from t group by c
---
-- has the aggregate 'sum(x)' in WHERE
select c from t where «sum(x)» > 1
---
-- has the aggregate 'max(x)' in GROUP BY
select c from t group by c, «max(x)»
---
-- has the aggregate 'max(t.x)' in ON
select t.c from t join u on «max(t.x)» = u.x
---
-- has the aggregate 'max(x)' inside of 'sum(max(x))'
select «sum(max(x))» as k from t
---
-- has the window function 'row_number() over (order by x)' in WHERE
select c from t where «row_number() over (order by x)» = 1
---
-- has the window function 'row_number() over (order by c)' in HAVING
select c from t group by c having «row_number() over (order by c)» = 1
---
-- has the window function 'rank() over (order by x)' inside of 'sum(rank() over (order by x))'
select «sum(rank() over (order by x))» as k from t
---
-- calls row_number() without OVER
select «row_number()» as k from t
---
-- calls lag() without OVER
select «lag(x)» as k from t
---
-- calls rank() over rows without an order
select «rank() over (partition by c)» as k from t
---
-- calls row_number() over rows without an order
select «row_number() over ()» as k from t
---
-- has OVER after 'upper(c)', which is no aggregate and no window function
select «upper(c) over (order by x)» as k from t
---
-- calls upper() with 2 arguments, and it takes 1
select «upper(c, x)» as k from t
---
-- calls round() with 3 arguments, and it takes 1 or 2
select «round(d, 1, 2)» as k from t
---
-- calls coalesce() with no arguments, and it takes 1 or more
select «coalesce()» as k from t
---
-- calls date_format() with 1 argument, and it takes 2
select «date_format(ts)» as k from t
---
-- calls datediff() with 1 argument, and it takes 2
select «datediff(day)» as k from t
---
-- calls lpad() with 1 argument, and it takes 2 or 3
select «lpad(c)» as k from t
---
-- calls sum() with 2 arguments, and it takes 1
select «sum(x, d)» as k from t
---
-- calls 'uper', which Spark 4.3 does not have
select «uper»(c) as k from t
---
-- calls 'group_concat', which Spark 4.3 does not have
select «group_concat»(c) as k from t
---
-- calls 'convert', which Spark 4.3 does not have
select «convert»(c, int) as k from t
---
-- calls 'len2', which Spark 4.3 does not have
select transform(xs, e -> «len2»(e)) as k from t
---
-- takes field 'bb', which 's' (struct<a:int,b:string>) does not have
select s.«bb» as k from t
---
-- takes field 'bb', which 's' (struct<a:int,b:string>) does not have
select w.s.«bb» as k from t as w
---
-- takes field 'zz', which 'rows' (array<struct<k:string,n:int>>) does not have
select rows.«zz» as k from t
---
-- takes field 'zz', which 'rows[0]' (struct<k:string,n:int>) does not have
select rows[0].«zz» as k from t
---
-- takes field 'y' of 'x' (int), which has no fields
select x.«y» as k from t
---
-- takes field 'nope', which 's' (struct<a:int,b:string>) does not have
select s[«'nope'»] as k from t
---
-- takes an element of 'c' (string), which has none
select «c[0]» as k from t
---
-- adds 'r.k' (string) and 'r.k' (string)
select transform(rows, r -> «r.k + r.k») as k from t
---
-- takes field 'zz', which 'r' (struct<k:string,n:int>) does not have
select transform(rows, r -> r.«zz») as k from t
---
-- compares 'e' (int) with 'day' (date)
select transform(xs, e -> «e > day») as k from t
---
-- compares 'a.day' (date) with 'a.n' (bigint)
with a as (select day, count(*) as n from t group by day) select day from a where «a.day > a.n»
---
-- compares 'u.x' (int) with 't.day' (date)
select c, (select max(u.x) from u where «u.x = t.day») as k from t
---
-- compares 'u.x' (int) with 't.day' (date)
select c from t where exists (select 1 from u where «u.x = t.day»)
---
-- has VALUES with rows of 1 and 2 columns
select a from values (1, 2), («3») as w(a, b)
---
-- takes a path into 'c' (string), which is no variant
select «c»:a as k from t
---
-- calls sum() with 'day' (date)
select sum(«day») as s from t
---
-- calls sum() with 'ok' (boolean)
select c, sum(«ok») over (partition by c) as s from t
---
-- calls size() with 'c' (string)
select size(«c») as s from t
---
-- calls year() with 'x + 1' (int)
select year(«x + 1») as y from t
---
-- calls explode() with 'c' (string)
select explode(«c») as e from t
---
-- calls datediff() with 'x' (int)
select datediff(day, «x») as d from t
---
-- calls count_if() with 'x' (int)
select count_if(«x») as n from t
---
-- calls round() with 'day' (date)
select round(«day») as r from t
---
-- calls upper() with 'xs' (array<int>)
select upper(«xs») as u from t
---
-- calls date_format() with 'x' (int)
select date_format(«x», 'yyyy') as d from t
---
-- calls date_trunc() with 'amount' (decimal(10,2))
select date_trunc('day', «amount») as d from t
---
-- calls array_max() with 'c' (string)
select array_max(«c») as a from t
---
-- calls unix_timestamp() with 'd' (double)
select unix_timestamp(«d») as u from t
---
-- sorts by 'm' (map<string,int>)
select «max(m)» as m from t
