#!/usr/bin/env bash
# limits: a quota of bytes, by `cost`. In a fixed window what is refused uses it up, and in a moving one each byte takes memory.
#
# Versions: limits 5.8.0, Python 3.11.
# Input: 100 MB an hour, counted as `hit(item, client, cost=size)`. A client sends 10 MB, then 95 MB, then 1 MB. In the moving
#   window one upload of 1 MB.
# Expected: 10 MB are taken, 95 MB are refused, 1 MB is taken. That is so in the moving and in the sliding window.
#   A hit is a number and a time, however large the number is.
# What happens: in the fixed window, the usual choice, the refused 95 MB are added to the counter, so 1 MB is refused too, and
#   everything else for the rest of the hour. The documentation's examples have a cost of 1, with which this can't be seen.
#   The moving window keeps an entry for each unit of cost: a million bytes are a million entries and 16 MB of memory here.
#   A recording of 500 MB would take gigabytes. Only the sliding window does neither.
# Who is hit: quotas of bytes, tokens or seconds. One upload that is too large locks its client out.
#   Ask with `test` first and count what was accepted afterwards, or use the sliding window.
# Output seen:
#   fixed window:   taken, refused, refused
#   moving window:  taken, refused, taken
#   sliding window: taken, refused, taken
#   memory for one hit of 1,000,000: fixed < 0.1 MB, moving 16 MB, sliding < 0.1 MB
set -euo pipefail
packages=$(mktemp -d)
trap 'rm -rf "$packages"' EXIT
python3.11 -m pip install --quiet --target "$packages" limits==5.8.0
PYTHONPATH=$packages python3.11 - <<'PY'
import tracemalloc

from limits import RateLimitItemPerHour
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter, MovingWindowRateLimiter, SlidingWindowCounterRateLimiter

STRATEGIES = {
    "fixed": FixedWindowRateLimiter,
    "moving": MovingWindowRateLimiter,
    "sliding": SlidingWindowCounterRateLimiter,
}
# In MB, so that the moving window stays small.
HUNDRED, SIZES = RateLimitItemPerHour(100), (10, 95, 1)
MANY = RateLimitItemPerHour(100_000_000)

taken, memory_mb = {}, {}
for name, strategy in STRATEGIES.items():
    limiter = strategy(MemoryStorage())
    taken[name] = [limiter.hit(HUNDRED, "client", cost=size) for size in SIZES]
    words = ", ".join("taken" if one else "refused" for one in taken[name])
    print(f"{name + ' window:':<15} {words}")
    limiter = strategy(MemoryStorage())
    tracemalloc.start()
    limiter.hit(MANY, "client", cost=1_000_000)
    memory_mb[name] = tracemalloc.get_traced_memory()[0] / 1e6
    tracemalloc.stop()
shown = ", ".join(f"{name} {'< 0.1' if mb < 0.1 else round(mb)} MB" for name, mb in memory_mb.items())
print(f"memory for one hit of 1,000,000: {shown}")
assert taken == {"fixed": [True, False, False], "moving": [True, False, True], "sliding": [True, False, True]}, "changed"
assert memory_mb["moving"] > 5 > 0.1 > max(memory_mb["fixed"], memory_mb["sliding"]), "changed"
PY
