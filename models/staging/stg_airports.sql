-- Airports and the clocks on their walls.
select faa as airport, name, tzone as time_zone
from {{ ref('airports') }}

union all

-- the published table ends at the mainland, the flights do not
select airport, name, 'America/Puerto_Rico' as time_zone
from values
    ('BQN', 'Rafael Hernandez'),
    ('PSE', 'Mercedita'),
    ('SJU', 'Luis Munoz Marin'),
    ('STT', 'Cyril E King')
    as caribbean (airport, name)
