select antecedent[0] as film, consequent, lift from {{ ref('film_rules') }} where confidence > 0.9
