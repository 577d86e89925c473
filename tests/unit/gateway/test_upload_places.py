"""Uploads that arrive at once: of all clients together, and of one."""

from __future__ import annotations

import pytest

from chassis.errors import ExhaustedError
from gateway.callers import Client
from gateway.upload_places import UploadPlaces

ANA, BEN = Client("ana"), Client("ben")


def test_one_client_leaves_places_for_the_others() -> None:
    places = UploadPlaces(max_count=3, max_count_per_client=2)
    with places.taken(ANA), places.taken(ANA):
        with pytest.raises(ExhaustedError) as own, places.taken(ANA):
            pass
        with places.taken(BEN), pytest.raises(ExhaustedError) as all_taken, places.taken(BEN):
            pass
    with places.taken(ANA):
        pass

    assert own.value.reason == "UPLOADS_OF_CLIENT_FULL"
    assert all_taken.value.reason == "UPLOADS_FULL"
    assert not places._taken
