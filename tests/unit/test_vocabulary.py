from __future__ import annotations

import re

from hukou_opt.result_layout import GROUPS
from hukou_opt.vocabulary import label, vocabulary

BASES = {"1", "10k", "10k persons", "10k seats", "10k beds", "10k places", "10k mu", "100m yuan"}
BASES |= {"yuan/person"}


def test_every_quantity_of_a_result_is_a_word_with_the_same_dimensions() -> None:
    words = vocabulary()
    plain = {"block"}
    for group in ("trajectory", "allocation"):
        for name, dims in GROUPS[group].items():
            if name not in plain:
                assert set(words[name].dims) == set(dims), name


def test_units_are_the_house_s() -> None:
    odd = {word.name: word.unit for word in vocabulary().values()}
    assert {
        name: unit for name, unit in odd.items() if unit.removesuffix("/year") not in BASES
    } == {}


def test_chinese_labels_are_chinese() -> None:
    for word in vocabulary().values():
        assert re.search(r"[\u4e00-\u9fff]", word.label_zh), word.name
        assert not re.search(r"[\u4e00-\u9fff]", word.label_en), word.name


def test_labels() -> None:
    assert label("central_transfers") == "Central transfers"
    assert label("urban", "zh") == "城镇"
    assert label("not_known_here") == "not known here"
