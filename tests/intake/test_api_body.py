"""Bodies that are no JSON, or could be read in two ways."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intake import api_body, api_schema
from intake.api_body import NoJson

SCHEMA = api_schema.forward(10)
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(st.characters(exclude_categories=())),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"", "line 1, column 1"),
        (b'{"urgency": }', "line 1, column 13"),
        (b"\xef\xbb\xbf{}", "line 1, column 1"),
        (b'{"urgency": "\xff"}', "not UTF-8"),
        (b'{"urgency": "\xed\xa0\x80"}', "not UTF-8"),
        (b'{"urgency": "routine", "urgency": "imminent"}', "stands twice"),
        (b'{"point": {"latitude": 1, "latitude": 2}}', "stands twice"),
        (b'{"point": NaN}', "NaN"),
        (b'{"point": 1e999}', "too large"),
        (b'{"point": ' + b"9" * 5000 + b"}", "too long"),
        (b'{"links": ' + b"[" * 100_000, "nested too deeply"),
        (b'"' + b"\0" + b'"', "column 2"),
    ],
)
def test_a_body_that_cannot_be_read_in_one_way_is_refused(body: bytes, sentence: str) -> None:
    with pytest.raises(NoJson, match=sentence):
        api_body.read(body)


@pytest.mark.parametrize("value", [[], "x", None, 1])
def test_only_an_object_is_taken(value: object) -> None:
    with pytest.raises(NoJson, match="one JSON object"):
        api_body.compare(value, SCHEMA)


@settings(max_examples=40)
@given(st.dictionaries(st.sampled_from([*SCHEMA["properties"], "x/~ä\ud800"]), ANYTHING, max_size=4))
def test_every_member_either_fits_or_has_a_sentence(sent: dict[str, object]) -> None:
    body = api_body.compare(sent, SCHEMA)
    faulty = {
        name
        for name in sent
        if any(f"{each}/".startswith(f"{api_body.pointer(name)}/") for each in body.unfit)
    }
    assert faulty | set(body.right) == set(sent)
    assert not faulty & set(body.right)


@pytest.mark.parametrize("unreadable", ["\0", "\ud800"])
def test_what_is_no_text_is_pointed_at_however_deep_it_lies(unreadable: str) -> None:
    words = f"a{unreadable}b"
    sent = {"what_happened": words, "links": ["x", words], "attachments": [{"name": words, "content": ""}]}
    body = api_body.compare(sent, SCHEMA)
    assert set(body.unfit) == {"#/what_happened", "#/links/1", "#/attachments/0/name"}
    assert all("NUL or half of a surrogate pair" in sentence for sentence in body.unfit.values())
    assert body.right == {}


def test_no_sentence_repeats_a_value() -> None:
    body = api_body.compare(
        {"urgency": "kanarienvogel", "point": "kanarienvogel", "zip_code": ["kanarienvogel"]}, SCHEMA
    )
    assert len(body.unfit) == 3
    assert "kanarienvogel" not in str(body.unfit)
