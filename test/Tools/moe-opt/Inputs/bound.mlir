moe.exchange @x0 flat_exact bound 0
