{#-
known_window: what was known of the recent past, for each row, at the row's own time.

    left join {{ known_window(
        rows=ref('stg_flights'), row_key='flight_id', key='carrier', at='sched_dep_ts',
        events=ref('stg_flights'), known_at='arr_ts', within='6 hours',
        aggregates={'carrier_flights': 'count(*)', 'carrier_delay': 'avg(arr_delay)'}) }} as carrier
      using (flight_id)

It renders a parenthesised relation with one row per `row_key`: the columns of `row_key`, then the aggregates.

rows        relation with a row for each prediction: ref('x'), or the name of a CTE
row_key     column, or list of columns, that names a row of `rows`
key         column, or list of columns, that a row and its events share; the same names on both sides
at          timestamp of `rows`: the moment of prediction
events      relation with a row for each event; it may be `rows` itself
known_at    timestamp of `events` at which the event, with all its values, was known
within      how far back: an interval in weeks, days or shorter, such as '6 hours'; or none for all the past; or several
            with the suffix of each: {'6h': '6 hours', '7d': '7 days'} gives every aggregate once per window, `…_6h`, `…_7d`
aggregates  {column name: call}; a call is one of count(*), count(x), sum(x), avg(x), min(x), max(x),
            where x is any expression over one row of `events`

Which events count: those of the same key with  at - within <= known_at < at.  The end is open on purpose: what becomes
known at the very moment of prediction is not yet known, and a row that is itself an event never counts itself unless
its own outcome was known before. Windows of equal length that follow each other share no event and miss none.

Nulls: an event whose `known_at` or key is null is never known. A row whose `at` or key is null is kept: its counts are 0,
its other aggregates null. As always in SQL, aggregates skip null values, and without any value are null.
Duplicates: equal events count as often as they stand there. Equal rows of `rows` give one row here, so that the join
gives each its values; two rows that differ must not share a `row_key`.

Exact: what is known later cannot move a result, not even in its last bit. count, sum and avg are differences of running
totals, which is exact for integers and decimals only; a float or double is refused when it runs
(cast it: `sum(cast(x as decimal(18, 4)))`).

Cost: rows and events are sorted together once, whatever the number of windows and aggregates; no range join.
count, sum and avg then take one pass. min and max look at each event of the window again for each row: keep them short.
-#}
{%- macro known_window(rows, row_key, key, at, events, known_at, within, aggregates) -%}
{%- set row_keys = [row_key] if row_key is string else row_key -%}
{%- set keys = [key] if key is string else key -%}
{%- set windows = within if within is mapping else {'': within} -%}
{%- set columns = namespace(all=[]) -%}
{%- for suffix, span in windows.items() -%}
    {%- for name, call in aggregates.items() -%}
        {%- set columns.all = columns.all + [{
            'name': name ~ ('_' ~ suffix if suffix), 'function': _function_of(call), 'of': _argument_of(call),
            'span': span}] -%}
    {%- endfor -%}
{%- endfor -%}
{%- set arguments = columns.all | map(attribute='of') | unique | list -%}
{%- set summed = columns.all | selectattr('function', 'in', ['sum', 'avg']) | map(attribute='of') | unique | list -%}
{%- set spans = windows.values() | unique | list -%}
{%- set by_time -%}
partition by {% for _ in keys %}_key{{ loop.index }}{{ ', ' if not loop.last }}{% endfor %} order by _ts range between
{%- endset -%}
(
    select
        {%- for column in row_keys %}
        _row{{ loop.index }} as {{ column }},
        {%- endfor %}
        {%- for column in columns.all %}
        max(_a{{ loop.index }}) as {{ column.name }}{{ ',' if not loop.last }}
        {%- endfor %}
    from (
        select
            {%- for _ in row_keys %}
            _row{{ loop.index }},
            {%- endfor %}
            {%- for column in columns.all %}
            {{ _result(column.function, '_x' ~ arguments.index(column.of), column.span, spans.index(column.span)) }} as _a{{ loop.index }},
            {%- endfor %}
            {%- for of in summed %}
            {#- The optimizer folds it away, unless the type is wrong: then it says so. #}
            if(typeof(_x{{ arguments.index(of) }}) in ('float', 'double'), raise_error('known_window: sum and avg need an integer or a decimal; cast {{ of | replace("'", "") }}'), true) as _is_exact{{ loop.index }},
            {%- endfor %}
            _is_row
        from (
            select
                {%- for column in row_keys %}
                {{ column }} as _row{{ loop.index }},
                {%- endfor %}
                {%- for column in keys %}
                {{ column }} as _key{{ loop.index }},
                {%- endfor %}
                cast({{ at }} as timestamp) as _ts,
                true as _is_row
                {%- for _ in arguments %},
                null as _x{{ loop.index0 }}
                {%- endfor %}
            from {{ rows }} as _rows
            union all
            select
                {%- for _ in row_keys %}
                null,
                {%- endfor %}
                {%- for column in keys %}
                {{ column }},
                {%- endfor %}
                cast({{ known_at }} as timestamp),
                false
                {%- for of in arguments %},
                {{ 1 if of == '*' else of }}
                {%- endfor %}
            from {{ events }} as _events
            where {{ known_at }} is not null
                {%- for column in keys %} and {{ column }} is not null{% endfor %}
        )
        window
            _known as ({{ by_time }} unbounded preceding and interval '1 microsecond' preceding)
            {%- for span in spans if span is not none %},
            _past{{ spans.index(span) }} as ({{ by_time }} unbounded preceding and interval '{{ span }} 1 microsecond' preceding),
            {#- Spark wants one type at both ends of a frame, and the units that are written decide it. #}
            _recent{{ spans.index(span) }} as ({{ by_time }} interval '0 days {{ span }} 0 microseconds' preceding and interval '0 days 1 microsecond' preceding)
            {%- endfor %}
    )
    where _is_row{% for _ in summed %} and _is_exact{{ loop.index }}{% endfor %}
    group by {% for _ in row_keys %}_row{{ loop.index }}{{ ', ' if not loop.last }}{% endfor %}
)
{%- endmacro -%}

{#- All that is known less what was known before the window began. Both grow with time, so each costs one pass. -#}
{%- macro _result(function, x, span, i) -%}
{%- set n -%} count({{ x }}) over _known{% if span is not none %} - count({{ x }}) over _past{{ i }}{% endif %} {%- endset -%}
{%- set total -%} sum({{ x }}) over _known{% if span is not none %} - coalesce(sum({{ x }}) over _past{{ i }}, 0){% endif %} {%- endset -%}
{%- if function == 'count' -%} {{ n }}
{%- elif function == 'sum' -%} case when {{ n }} > 0 then {{ total }} end
{%- elif function == 'avg' -%} ({{ total }}) / nullif({{ n }}, 0)
{%- else -%} {{ function }}({{ x }}) over {{ '_known' if span is none else '_recent' ~ i }}
{%- endif -%}
{%- endmacro -%}

{%- macro _function_of(call) -%}
{%- set name = call.split('(')[0] | trim | lower -%}
{%- if name not in ['count', 'sum', 'avg', 'min', 'max'] -%} {{ _refuse(call) }} {%- endif -%}
{{- name -}}
{%- endmacro -%}

{#- The text between the parentheses, which must be all of it: `sum(a) / count(b)` is two calls. -#}
{%- macro _argument_of(call) -%}
{%- set text = (call | trim).split('(')[1:] | join('(') -%}
{%- set seen = namespace(depth=1, closed_at=[]) -%}
{%- for letter in text -%}
    {%- set seen.depth = seen.depth + {'(': 1, ')': -1}.get(letter, 0) -%}
    {%- if seen.depth == 0 -%} {%- set seen.closed_at = seen.closed_at + [loop.index] -%} {%- endif -%}
{%- endfor -%}
{%- set argument = text[:-1] | trim -%}
{%- if seen.closed_at != [text | length] or not argument or argument.lower().startswith('distinct ')
        or (argument == '*' and _function_of(call) != 'count') -%} {{ _refuse(call) }} {%- endif -%}
{{- argument -}}
{%- endmacro -%}

{%- macro _refuse(call) -%}
{{ exceptions.raise_compiler_error("known_window: '" ~ call ~ "' is not one count, sum, avg, min or max of one expression") }}
{%- endmacro -%}
