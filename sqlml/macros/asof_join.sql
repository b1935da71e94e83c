{#-
asof_join: for each row, the last event of the same key that was known at the row's own time.

    left join {{ asof_join(
        rows=ref('stg_flights'), row_key='flight_id', key='origin', at='sched_dep_ts',
        events=ref('stg_weather'), known_at='observed_at', columns=['temp', 'wind_speed']) }} as weather
      using (flight_id)

It renders a parenthesised relation with one row per `row_key`: the columns of `row_key`, then those of the event.

rows        relation with a row for each prediction: ref('x'), or the name of a CTE
row_key     column, or list of columns, that names a row of `rows`
key         column, or list of columns, that a row and its events share; the same names on both sides
at          timestamp of `rows`: the moment of prediction
events      relation with a row for each event
known_at    timestamp of `events` at which the event, with all its values, was known
columns     list of columns of `events`, or {column name: expression over one row of `events`}
within      how old the event may be: an interval such as '3 hours'; an older one gives nulls. Default none: of any age

Which event wins: the one with the greatest  known_at <= at  (and, with `within`, known_at >= at - within).
It wins whole: a null in it stays null and is never filled from an older event. Among events of the same key and time the
greatest wins, compared by `columns` from left to right, null being the least; so the result never depends on the order
of rows. (Hence the columns must be of types that have an order: no maps.)

Nulls: an event whose `known_at` or key is null is never known. A row without an event, or whose `at` or key is null, is
kept with nulls. Equal rows of `rows` give one row here, so that the join gives each its event; two rows that differ must
not share a `row_key`.

Cost: rows and events are sorted together once and read in one pass; no range join.
-#}
{%- macro asof_join(rows, row_key, key, at, events, known_at, columns, within=none) -%}
{%- set row_keys = [row_key] if row_key is string else row_key -%}
{%- set keys = [key] if key is string else key -%}
{%- set found = '_event' if within is none else "case when _event._known_at >= _ts - interval '" ~ within ~ "' then _event end" -%}
(
    select
        {%- for column in row_keys %}
        _row{{ loop.index }} as {{ column }},
        {%- endfor %}
        {%- for name in columns %}
        _found.{{ name }} as {{ name }}{{ ',' if not loop.last }}
        {%- endfor %}
    from (
        select
            {%- for _ in row_keys %}
            _row{{ loop.index }},
            {%- endfor %}
            max({{ found }}) as _found
        from (
            select
                {%- for _ in row_keys %}
                _row{{ loop.index }},
                {%- endfor %}
                _ts,
                _is_row,
                last_value(_event) ignore nulls over (
                    partition by {% for _ in keys %}_key{{ loop.index }}{{ ', ' if not loop.last }}{% endfor %}
                    order by _ts, _is_row, _event
                    rows between unbounded preceding and current row
                ) as _event
            from (
                select
                    {%- for column in row_keys %}
                    {{ column }} as _row{{ loop.index }},
                    {%- endfor %}
                    {%- for column in keys %}
                    {{ column }} as _key{{ loop.index }},
                    {%- endfor %}
                    cast({{ at }} as timestamp) as _ts,
                    true as _is_row,
                    null as _event
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
                    false,
                    struct(
                        {%- for name in columns %}{{ columns[name] if columns is mapping else name }} as {{ name }}, {% endfor -%}
                        cast({{ known_at }} as timestamp) as _known_at)
                from {{ events }} as _events
                where {{ known_at }} is not null
                    {%- for column in keys %} and {{ column }} is not null{% endfor %}
            )
        )
        where _is_row
        group by {% for _ in row_keys %}_row{{ loop.index }}{{ ', ' if not loop.last }}{% endfor %}
    )
)
{%- endmacro -%}
