"""Ids sort by submission, whatever the clock does."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bridge.jobs.ids import next_job_id


@given(st.lists(st.floats(min_value=-1e9, max_value=4e9), min_size=2, max_size=40))
def test_ids_rise_with_any_clock(times_s: list[float]) -> None:
    """A clock that stands still, jumps or goes back gives no id twice and none out of order."""
    ids = [""]
    for now_s in times_s:
        ids.append(next_job_id(now_s, ids[-1]))
    assert ids == sorted(set(ids))
    assert all(len(job_id) == 16 for job_id in ids[1:])


def test_later_stores_sort_after_earlier_ones() -> None:
    """Without a last id, a later millisecond wins over any noise."""
    assert next_job_id(10.001, random_bits=0) > next_job_id(10.0, random_bits=(1 << 20) - 1)


def test_two_stores_do_not_give_the_same_id() -> None:
    """In one millisecond the noise differs."""
    assert len({next_job_id(5.0) for _ in range(50)}) > 45
