"""All checks of a document, in the order in which they are shown."""

from __future__ import annotations

from functools import partial

from cli.verifying.checkout import Checkout
from cli.verifying.checks import Checks, Json, guarded
from cli.verifying.digests import check_code, check_models, check_own_digests, check_recordings
from cli.verifying.found_recordings import FoundRecordings
from cli.verifying.legacy import check_legacy, check_verdicts
from cli.verifying.scores import check_scores, check_totals, is_read
from cli.verifying.shape import check_shape
from cli.verifying.words import check_words


def verified(document: Json, recordings: FoundRecordings, checkout: Checkout) -> Checks:
    """Yield every check of a document.

    Args:
        document: A result document, or what somebody made of one.
        recordings: Where to look for the recordings.
        checkout: The code to compare.
    """
    yield from guarded("schema", partial(check_shape, document))
    yield from guarded("digests", partial(check_own_digests, document))
    yield from guarded("recordings", partial(check_recordings, document, recordings))
    yield from guarded("models", partial(check_models, document))
    yield from guarded("code", partial(check_code, document, checkout))
    yield from guarded("answers", partial(_answers, document))
    yield from guarded("totals", partial(check_totals, document))
    yield from guarded("verdicts", partial(check_verdicts, document))
    yield from guarded("legacy keys", partial(check_legacy, document))


def _answers(document: Json) -> Checks:
    for place, answer in enumerate(document["results"], start=1):
        if is_read(answer):
            yield from guarded(f"scores of answer {place}", partial(check_scores, answer))
            yield from guarded(f"words of answer {place}", partial(check_words, answer))
