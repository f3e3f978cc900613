"""A package that is missing is a sentence with what to type."""

import pytest

from motes.errors import UserError
from motes.plain.packages import optional


def test_what_is_there_is_given_and_what_is_not_is_said():
    import json

    assert optional("json", "video", "videos need json") is json
    sentence = r"videos need PyAV; install it with: pip install 'motes\[video\]'"
    with pytest.raises(UserError, match=sentence):
        optional("a_package_that_nobody_wrote", "video", "videos need PyAV")
