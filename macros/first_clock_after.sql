{#-
first_clock_after: the first instant after `ts` at which a clock in `zone` shows `hhmm`, as a UTC timestamp.

Timetables print an arrival as a bare local time, such as 45 for 00:45, and leave day and zone to the reader. It is the
first such time after departure: flights from New York take less than a day.

ts      timestamp, UTC
hhmm    integer: hours * 100 + minutes
zone    name of a time zone, such as 'America/Denver'; null gives null
-#}
{%- macro first_clock_after(ts, hhmm, zone) -%}
{%- set local = "from_utc_timestamp(" ~ ts ~ ", " ~ zone ~ ")" -%}
{%- set clock = "make_dt_interval(0, " ~ hhmm ~ " div 100, " ~ hhmm ~ " % 100)" -%}
to_utc_timestamp(
    date_trunc('day', {{ local }}) + {{ clock }}
        + case when date_trunc('day', {{ local }}) + {{ clock }} > {{ local }} then interval '0' day else interval '1' day end,
    {{ zone }})
{%- endmacro -%}
