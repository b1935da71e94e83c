select {{ ref.__class__ }} as x
