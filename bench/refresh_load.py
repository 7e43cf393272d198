"""`python -m bench.refresh_load`: how often the token endpoint is asked, by a day's simulation.

Sign-ins are spread over the working day with a rush at nine; each person looks at a page that calls
the API now and then, until they stop. A page whose access token is over exchanges the refresh
token; nothing is refreshed in the background, so who is away costs nothing.
"""

from __future__ import annotations

import argparse
import random
from collections import Counter

DAY, MINUTE = 86400, 60
EARLY_SECONDS = 30  # as auth/token_set.py has it


def simulate(
    people: int, token_seconds: int, *, pause_seconds: int = 300, hours: float = 8, seed: int = 1
) -> tuple[Counter[int], Counter[int]]:
    """Return the sign-ins and the refreshes of one day, by minute."""
    chance = random.Random(seed)  # noqa: S311  # a simulation
    sign_ins: Counter[int] = Counter()
    refreshes: Counter[int] = Counter()
    for _ in range(people):
        # Half of them within the rush, the others at any time of the working day.
        rush = chance.random() < 0.5
        now = chance.gauss(9 * 3600, 1200) if rush else chance.uniform(8, 16) * 3600
        end = now + chance.uniform(0.2, 1) * hours * 3600
        sign_ins[int(now // MINUTE)] += 1
        good_until = now + token_seconds - min(EARLY_SECONDS, token_seconds / 10)
        while (now := now + chance.expovariate(1 / pause_seconds)) < min(end, DAY):
            if now >= good_until:
                refreshes[int(now // MINUTE)] += 1
                good_until = now + token_seconds - min(EARLY_SECONDS, token_seconds / 10)
    return sign_ins, refreshes


def main() -> None:
    """Print a table for several lifetimes of access tokens."""
    parser = argparse.ArgumentParser(prog="python -m bench.refresh_load", description=__doc__)
    parser.add_argument("--people", type=int, default=10_000)
    people = parser.parse_args().people
    print("| access token lives | refreshes a day | at the peak, token requests a second |")
    print("| --- | --- | --- |")
    for token_seconds in (300, 900, 3600, 86400):
        sign_ins, refreshes = simulate(people, token_seconds)
        peak = max((sign_ins + refreshes).values()) / MINUTE
        print(f"| {token_seconds // 60} min | {refreshes.total():,} | {peak:.1f} |")


if __name__ == "__main__":
    main()
