select sequence, freq from {{ ref('paths') }} where size(sequence) > 1
