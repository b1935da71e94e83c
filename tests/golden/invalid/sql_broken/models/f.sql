select date_trunc(
