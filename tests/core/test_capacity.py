"""Heavy work in one process: so much at once, a wait for the rest, then a sentence."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from cpro.core.capacity import Capacity, Overloaded


class TestCapacity:
    def test_take_lets_no_more_in_than_said(self) -> None:
        capacity, inside, most = Capacity(2), [], []
        lock = threading.Lock()

        def work(number: int) -> None:
            with capacity.take():
                with lock:
                    inside.append(number)
                    most.append(len(inside))
                threading.Event().wait(0.01)
                with lock:
                    inside.remove(number)

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(work, range(16)))

        assert len(most) == 16
        assert max(most) == 2

    def test_take_refuses_with_a_sentence_who_waited_in_vain(self) -> None:
        capacity = Capacity(1, patience=0.01)

        with capacity.take(), pytest.raises(Overloaded) as refusal, capacity.take():
            pass

        assert refusal.value.status == 503
        assert "réessayez dans un instant" in refusal.value.message

    def test_take_gives_its_place_back_after_a_failure(self) -> None:
        capacity = Capacity(1, patience=0.01)

        with pytest.raises(ValueError), capacity.take():
            raise ValueError
        with capacity.take():
            pass

    def test_take_if_free_says_so_and_waits_for_nobody(self) -> None:
        capacity = Capacity(1)

        with capacity.take_if_free() as first, capacity.take_if_free() as second:
            assert (first, second) == (True, False)
        with capacity.take_if_free() as third:
            assert third
