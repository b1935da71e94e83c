-- Does it happen as often as it is said to? In each tenth of the probability, on the flights that were held out.
select
    bin,
    round(weight) as flights,
    round(mean_probability, 3) as mean_probability,
    round(share, 3) as late_share
from {{ ml_table('late_arrival', 'calibration') }}
where dataset = 'holdout' and slice = ''
