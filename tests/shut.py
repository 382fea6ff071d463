"""What a test asks for as somebody in conflict, heard while it asks: so that a proof which no longer asks is none."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec

from flask import Flask, request, request_finished
from werkzeug.wrappers import Response

# Not there, or not handed out any more. That a role may not open something (403) says nothing about a conflict.
SHUT = {404, 422}
P = ParamSpec("P")


def shuts(*shut: str, leaves_out: tuple[str, ...] = ()) -> Callable[[Callable[P, None]], Callable[P, None]]:
    """The test asks for these endpoints as somebody to whom they open and as somebody in conflict to whom they do not.

    Those that ``leaves_out`` names open to both: what they say to somebody in conflict the test looks at itself.
    """

    def marked(test: Callable[P, None]) -> Callable[P, None]:
        @wraps(test)
        def asking(*args: P.args, **kwargs: P.kwargs) -> None:
            heard: dict[str | None, set[int]] = defaultdict(set)

            def note(sender: Flask, response: Response, **rest: Any) -> None:
                heard[request.endpoint].add(response.status_code)

            with request_finished.connected_to(note):
                test(*args, **kwargs)
            assert {each for each in shut if not heard[each] & SHUT} == set(), "shut to nobody"
            assert {each for each in (*shut, *leaves_out) if not heard[each] & {200}} == set(), "opened to nobody"

        return asking

    return marked
