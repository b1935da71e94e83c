select {{ [].append(1) }} as x
