from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from velvetrope.store.ids import new_id


def test_ids_grow_are_positive_and_fit_into_63_bits() -> None:
    ids = [new_id() for _ in range(10_000)]
    assert ids == sorted(set(ids))
    assert ids[0] > 0
    assert ids[-1] < 2**63


def test_threads_never_get_the_same_id() -> None:
    with ThreadPoolExecutor(8) as pool:
        batches = list(pool.map(lambda _: [new_id() for _ in range(2_000)], range(8)))
    ids = [one for batch in batches for one in batch]
    assert len(set(ids)) == len(ids)
    assert all(batch == sorted(batch) for batch in batches)
