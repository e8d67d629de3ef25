"""Measure the tiny embedding models through the project's own engine, on held-out moments.

    python demo/training/evaluate_embeddings.py demo/models/embedding

Prints a markdown table: how often the moment that a query is a paraphrase of is the first found
(recall@1) or among the first five (recall@5), beside SQLite's FTS5 on the same queries, whose words
are all wanted, or any of them.
"""

from __future__ import annotations

import argparse
import random
import sqlite3
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts"))

import drawing
import paraphrases
import vision_samples
import vocabulary
from paraphrases import Pair
from reelmake.models.embedding import ImageModel, TextModel

DEPTH = 5


class FullText:
    """Texts in an FTS5 index, as plain as it comes."""

    def __init__(self, texts: Sequence[str]):
        self._db = sqlite3.connect(":memory:")
        self._db.execute("CREATE VIRTUAL TABLE moments USING fts5 (text)")
        self._db.executemany("INSERT INTO moments (rowid, text) VALUES (?, ?)", enumerate(texts))

    def find(self, query: str, joined: str) -> list[int]:
        """The numbers of the texts, best first. joined: by AND or OR."""
        words = joined.join('"' + word.replace('"', "") + '"' for word in query.split())
        rows = self._db.execute(
            f"SELECT rowid FROM moments WHERE moments MATCH ? ORDER BY rank LIMIT {DEPTH}", (words,)
        )
        return [row for (row,) in rows]


def said(count: int, seed: int, share: float) -> list[Pair]:
    """Held-out sentences, each once, with a query. share: of the words said otherwise."""
    rng, sentences = random.Random(seed), vocabulary.sentences(seed, held_out=True)
    found: dict[str, Pair] = {}
    while len(found) < count:
        sentence = next(sentences)
        if len(paraphrases.meaning(sentence)) > 1:
            found[sentence] = paraphrases.of_sentence(sentence, rng, share)
    return list(found.values())


def pictures(count: int, seed: int, share: float) -> list[tuple[Pair, drawing.Picture]]:
    """Pictures, each once, with a query."""
    rng = random.Random(seed)
    chosen = rng.sample(drawing.all_pictures(), count)
    return [(paraphrases.of_picture(picture, rng, share), picture) for picture in chosen]


def recall(pairs: Sequence[Pair], found: Sequence[Sequence[int]]) -> str:
    """Two cells of the table. A moment counts that means all that the query asks for: several may.

    found: the numbers of moments, best first, for each query.
    """
    first = fifth = 0
    for pair, places in zip(pairs, found, strict=True):
        right = [pair.asked <= pairs[place].meaning for place in places[:DEPTH]]
        first += bool(right and right[0])
        fifth += any(right)
    return f"{first / len(pairs):.3f} | {fifth / len(pairs):.3f}"


def row(name: str, pairs: Sequence[Pair], queries: np.ndarray, moments: np.ndarray) -> str:
    """A row of the table. queries, moments: unit vectors."""
    nearest = np.argsort(-(queries @ moments.T), axis=1)[:, :DEPTH]
    index = FullText([pair.text for pair in pairs])
    every = [index.find(pair.query, " AND ") for pair in pairs]
    some = [index.find(pair.query, " OR ") for pair in pairs]
    cells = " | ".join(recall(pairs, found) for found in (nearest.tolist(), every, some))
    return f"| {name} | {len(pairs)} | {cells} |"


def matrix(vectors: list[np.ndarray | None]) -> np.ndarray:
    """Vectors as rows; zeros for a text without one."""
    size = next(len(vector) for vector in vectors if vector is not None)
    return np.stack([np.zeros(size) if vector is None else vector for vector in vectors])


def main() -> None:
    """Measure every set and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("folder", type=Path, help="folder of text, image and image_text")
    parser.add_argument("--count", type=int, default=500, help="moments of each set")
    parser.add_argument("--seed", type=int, default=90000)
    args = parser.parse_args()

    text = TextModel(args.folder / "text", "embeddings.text_model", 1)
    image = ImageModel(args.folder / "image", "embeddings.image_model", 1)
    asking = TextModel(args.folder / "image_text", "embeddings.image_text_model", 1)
    print(
        "| moments, and queries for them | count | recall@1 | @5 | FTS5, all words: @1 | @5 | any word: @1 | @5 |"
    )
    print("|---|---|---|---|---|---|---|---|")
    for name, share in (
        ("their own words", 0.0),
        ("most words otherwise", 0.75),
        ("all words otherwise", 1.0),
    ):
        pairs = said(args.count, args.seed, share)
        queries = matrix(text.embed([pair.query for pair in pairs]))
        moments = matrix(text.embed([pair.text for pair in pairs]))
        print(row(f"spoken sentences, {name}", pairs, queries, moments), flush=True)
    for name, share in (("most words otherwise", 0.75), ("all words otherwise", 1.0)):
        shown = pictures(args.count, args.seed, share)
        pairs = [pair for pair, _ in shown]
        queries = matrix(text.embed([pair.query for pair in pairs]))
        moments = matrix(text.embed([pair.text for pair in pairs]))
        print(row(f"descriptions, {name}", pairs, queries, moments), flush=True)
    rng = random.Random(args.seed)
    sets = {
        "drawn by `drawing.py`": vision_samples.fresh(args.count, args.seed),
        "drawn otherwise": vision_samples.foreign(args.count, args.seed + 1),
        "through H.264": vision_samples.compressed(args.count, args.seed + 2),
    }
    for name, samples in sets.items():
        pairs = [paraphrases.of_picture(sample.picture, rng, 1.0) for sample in samples]
        queries = matrix(asking.embed([pair.query for pair in pairs]))
        moments = matrix(image.embed([sample.jpeg for sample in samples]))
        print(row(f"pictures {name}, all words otherwise", pairs, queries, moments), flush=True)
    started = time.perf_counter()
    text.embed([pair.text for pair in said(args.count, args.seed, 0.0)])
    middle = time.perf_counter()
    image.embed([sample.jpeg for sample in sets["drawn by `drawing.py`"]])
    print(
        f"\nA text takes {(middle - started) / args.count * 1000:.2f} ms, a picture "
        f"{(time.perf_counter() - middle) / args.count * 1000:.2f} ms, on one thread."
    )


if __name__ == "__main__":
    main()
