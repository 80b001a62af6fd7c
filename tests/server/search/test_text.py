"""Texts as searches compare them."""

import time
import unicodedata

from pieces_orm.server.search.text import fold


def test_every_character_is_folded_as_its_normal_form_without_diacritics():
    def slow(text):
        return "".join(c for c in unicodedata.normalize("NFKD", text.lower()) if not unicodedata.combining(c))

    characters = [chr(number) for number in range(0x30000)]
    assert [fold(each) for each in characters] == [slow(each) for each in characters]
    text = "\u0130stanbul \u1e9b\u0323 \ufb01 a\u0316\u0300 \ud55c\uae00 \u03a3\u03a3 Stra\u00dfe"
    assert fold(text) == slow(text)


def test_folding_takes_linear_time_however_many_diacritics_follow_each_other():
    text = "a" + "\u0316\u0300" * 150_000  # over a minute when they are sorted
    begun = time.thread_time()
    assert fold(text) == "a"
    assert time.thread_time() - begun < 5
