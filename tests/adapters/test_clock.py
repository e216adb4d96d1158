import signal
import threading
from datetime import UTC, datetime

import pytest

from promoter.adapters.clock import SystemClock
from promoter.model.errors import Interrupted


def test_now_has_a_time_zone():
    before = datetime.now(UTC)
    now = SystemClock().now()
    assert before <= now <= datetime.now(UTC)
    assert now.tzinfo is UTC


def test_it_waits_as_long_as_asked():
    clock = SystemClock()
    started = clock.monotonic()
    clock.sleep(0.01)
    clock.sleep(-1)
    clock.check()
    assert 0.01 <= clock.monotonic() - started < 5


def test_an_interruption_ends_a_wait_and_all_that_follow():
    clock, waiting, ended = SystemClock(), threading.Event(), []

    def wait() -> None:
        waiting.set()
        try:
            clock.sleep(600)
        except Interrupted:
            ended.append(clock.monotonic())

    thread = threading.Thread(target=wait)
    thread.start()
    waiting.wait()
    clock.interrupt()
    thread.join(10)
    assert len(ended) == 1
    with pytest.raises(Interrupted):
        clock.check()
    with pytest.raises(Interrupted):
        clock.sleep(600)


def test_it_may_be_interrupted_by_a_signal_in_the_midst_of_a_wait():
    clock = SystemClock()
    earlier = signal.signal(signal.SIGALRM, lambda *_: clock.interrupt())
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.02)
        with pytest.raises(Interrupted):
            clock.sleep(600)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, earlier)


def test_another_clock_is_not_interrupted():
    clock, patient = SystemClock(), SystemClock()
    clock.interrupt()
    patient.sleep(0)
    patient.check()
    with pytest.raises(Interrupted):
        clock.sleep(600)
