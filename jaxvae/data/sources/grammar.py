"""Sentences of a stochastic grammar whose entropy is known: no model has a smaller loss, and the best has that."""

from __future__ import annotations

import bisect
import dataclasses
import itertools
import math
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, TypeAlias

import numpy as np

from jaxvae.data.dataset import Dataset
from jaxvae.data.partition import TEST, TRAIN, VALIDATION, divided
from jaxvae.data.preparation import Preparation
from jaxvae.data.sources.sentences import whole_set

SIZES = {TRAIN: 20000, VALIDATION: 1000, TEST: 2000}
"""Number of sentences of each part."""
SEED = 7


@dataclasses.dataclass(frozen=True)
class Either:
    """One of several phrases, with their probabilities, or all equally likely."""

    phrases: tuple[Phrase, ...]
    weights: tuple[float, ...] = ()

    @property
    def probabilities(self) -> tuple[float, ...]:
        """Probability of each phrase."""
        return self.weights or (1 / len(self.phrases),) * len(self.phrases)


Phrase: TypeAlias = str | tuple["Phrase", ...] | Either
"""Words, or phrases one after another, or a choice."""


class Scene(NamedTuple):
    """Words that occur together, and in no other scene."""

    nouns: dict[str, str]
    """Singular -> plural."""
    verbs: tuple[tuple[str, str, str], ...]
    """Forms of the present, for one and for several, and of the past."""
    adjectives: tuple[str, ...]
    places: tuple[str, ...]


SCENES = (
    Scene(
        {"sailor": "sailors", "gull": "gulls", "whale": "whales", "boat": "boats"},
        (("follows", "follow", "followed"), ("greets", "greet", "greeted"), ("rescues", "rescue", "rescued")),
        ("wet", "grey", "lost"),
        ("near the harbour", "on the waves"),
    ),
    Scene(
        {"farmer": "farmers", "cow": "cows", "horse": "horses", "hen": "hens"},
        (("feeds", "feed", "fed"), ("chases", "chase", "chased"), ("hears", "hear", "heard")),
        ("brown", "sleepy", "muddy"),
        ("behind the barn", "in the meadow"),
    ),
    Scene(
        {"cook": "cooks", "baker": "bakers", "guest": "guests", "waiter": "waiters"},
        (("serves", "serve", "served"), ("thanks", "thank", "thanked"), ("calls", "call", "called")),
        ("hungry", "busy", "cheerful"),
        ("at the table", "inside the kitchen"),
    ),
    Scene(
        {"king": "kings", "queen": "queens", "knight": "knights", "dragon": "dragons"},
        (("fears", "fear", "feared"), ("fights", "fight", "fought"), ("loves", "love", "loved")),
        ("brave", "old", "golden"),
        ("before the castle", "under the tower"),
    ),
    Scene(
        {"pupil": "pupils", "teacher": "teachers", "writer": "writers", "reader": "readers"},
        (("asks", "ask", "asked"), ("teaches", "teach", "taught"), ("praises", "praise", "praised")),
        ("clever", "silent", "young"),
        ("during the lesson", "beside the library"),
    ),
    Scene(
        {"driver": "drivers", "tram": "trams", "walker": "walkers", "policeman": "policemen"},
        (("passes", "pass", "passed"), ("stops", "stop", "stopped"), ("meets", "meet", "met")),
        ("tired", "late", "quick"),
        ("across the bridge", "along the street"),
    ),
)


def sentences_of(scene: Scene) -> Phrase:
    """Return the sentences of a scene: subject, verb and object, half of the time with a place."""
    verbs = tuple(
        Either(tuple(Either((forms[is_plural], forms[2])) for forms in scene.verbs)) for is_plural in (False, True)
    )
    subjects = tuple(_noun_phrase(scene, is_plural) for is_plural in (False, True))
    subject_and_verb = Either(tuple(zip(subjects, verbs)))
    return subject_and_verb, Either(subjects), Either(("", Either(scene.places)))


def _noun_phrase(scene: Scene, is_plural: bool) -> Phrase:
    articles = Either(("the", "some" if is_plural else "a"))
    nouns = scene.nouns.values() if is_plural else scene.nouns
    return articles, Either(("", Either(scene.adjectives))), Either(tuple(nouns))


GRAMMAR = Either(tuple(map(sentences_of, SCENES)))


def entropy(phrase: Phrase) -> float:
    """Return the entropy of a phrase's words in nats, where no words can be made in two ways."""
    if isinstance(phrase, str):
        return 0.0
    if isinstance(phrase, tuple):
        return sum(map(entropy, phrase))
    return sum(p * (entropy(part) - math.log(p)) for part, p in zip(phrase.phrases, phrase.probabilities))


def sample(phrase: Phrase, random: np.random.Generator) -> str:
    """Draw a phrase's words."""
    if isinstance(phrase, str):
        return phrase
    if isinstance(phrase, tuple):
        return " ".join(filter(None, (sample(part, random) for part in phrase)))
    *starts, _ = itertools.accumulate(phrase.probabilities)
    return sample(phrase.phrases[bisect.bisect(starts, random.random())], random)


def log_probability(phrase: Phrase, words: Sequence[str]) -> float:
    """Return log p of words in nats, summed over all ways to make them; -inf where there is none."""
    probability = _ends(phrase, list(words), 0).get(len(words), 0.0)
    return math.log(probability) if probability else -math.inf


def _ends(phrase: Phrase, words: list[str], start: int) -> dict[int, float]:
    """Return the places at which a phrase that begins at a word may end, with their probabilities."""
    if isinstance(phrase, str):
        end = start + len(phrase.split())
        return {end: 1.0} if words[start:end] == phrase.split() else {}
    if isinstance(phrase, tuple):
        ends = {start: 1.0}
        for part in phrase:
            ends = _summed((end, p * q) for place, p in ends.items() for end, q in _ends(part, words, place).items())
        return ends
    ways = zip(phrase.phrases, phrase.probabilities)
    return _summed((end, p * q) for part, p in ways for end, q in _ends(part, words, start).items())


def _summed(pairs: Iterable[tuple[int, float]]) -> dict[int, float]:
    sums: dict[int, float] = {}
    for place, value in pairs:
        sums[place] = sums.get(place, 0.0) + value
    return sums


def every(phrase: Phrase) -> Iterator[tuple[str, float]]:
    """Yield all words of a phrase with their probabilities."""
    if isinstance(phrase, str):
        yield phrase, 1.0
    elif isinstance(phrase, tuple):
        for parts in itertools.product(*(list(every(part)) for part in phrase)):
            yield " ".join(words for words, _ in parts if words), math.prod(p for _, p in parts)
    else:
        for part, p in zip(phrase.phrases, phrase.probabilities):
            yield from ((words, p * probability) for words, probability in every(part))


def load_grammar() -> Dataset:
    """Draw 20,000 sentences to train, 1,000 to validate and 2,000 to test, always the same; facts hold the entropy."""
    random = np.random.Generator(np.random.PCG64(SEED))
    parts = np.repeat([*SIZES], [*SIZES.values()])
    whole = whole_set("grammar", [sample(GRAMMAR, random) for _ in parts], parts, Preparation())
    return divided("grammar", "grammar", whole._replace(facts={**whole.facts, "entropy": entropy(GRAMMAR)}))
