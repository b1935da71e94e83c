select
  {{ forever(1) }} as x
