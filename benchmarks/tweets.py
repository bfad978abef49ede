"""Compare networks on token ids with TF-IDF, for the sentiment of tweets.

    python benchmarks/tweets.py               all models
    python benchmarks/tweets.py pieces TF     those whose name contains one of the words
    python benchmarks/tweets.py --folds       a cross-validation in place of five splits

The tweets are those of ``examples/text/plot_tweets.py``, all of them. A split puts all
tweets with one text on one side; seed s takes fold s of a StratifiedGroupKFold of five,
shuffled with s, and is the random state of the networks. The measure is the one-vs-rest
ROC AUC, the mean over the three classes; standard deviations are over the seeds. All
models get the same rows. With ``--folds``, the five folds of seed 0 are taken, on which
the options of the networks on pieces of words were chosen: their scores are then better
than on other splits. "Confidence" means that the confidence of the
labels are the sample weights, and "smoothed" that labels are smoothed by 0.2.
"""

import argparse
import os
import re
import time

import numpy as np
import pandas as pd
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.pipeline import make_pipeline

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import scores

from skseq import Conv1DClassifier, DenseClassifier, LSTMClassifier, TextSequencer

PATTERN = r"[#@]?\w[\w']*|[!?]"


def pieces(text):
    """List one to five words in a row, and pieces of three to five characters."""
    text = re.sub(r"http\S*", "<url>", text.lower())
    words = re.findall(r"<url>|[#@]?\w[\w']*|[!?.]+", text)
    found = []
    for n in range(1, 6):
        found += [" ".join(words[i : i + n]) for i in range(len(words) - n + 1)]
    for word in words:
        word = f"<{word}>"
        for n in (3, 4, 5):
            found += [word[i : i + n] for i in range(len(word) - n + 1)]
    return list(dict.fromkeys(found))


def of_words(network):
    """Make a pipeline of words and a network."""
    words = TextSequencer(min_df=2, token_pattern=PATTERN, max_length=32)
    return make_pipeline(words, network)


def of_pieces(seed, **params):
    """Make a pipeline of pieces of words and the mean of their vectors."""
    network = DenseClassifier(
        (), pooling="mean", embedding_dim=64, dropout=0.6, epochs=5, batch_size=64,
        learning_rate=0.002, random_state=seed, **params,
    )  # fmt: skip
    return make_pipeline(TextSequencer(analyzer=pieces, min_df=3), network)


SMOOTHED = {
    "loss": "categorical_crossentropy",
    "loss_params": {"label_smoothing": 0.2},
}
# name: a function from the seed to a model, and whether it gets the confidence.
MODELS = {
    "TF-IDF, logistic regression": (
        lambda seed: make_pipeline(
            TfidfVectorizer(), LogisticRegression(max_iter=1000)
        ),
        False,
    ),
    "TF-IDF of characters, logistic regression": (
        lambda seed: make_pipeline(
            TfidfVectorizer(
                analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True, min_df=3
            ),
            LogisticRegression(max_iter=1000),
        ),
        False,
    ),
    "LSTM 196, dropout 0.2": (
        lambda seed: of_words(
            LSTMClassifier(
                196, pooling="last", embedding_dim=64, dropout=0.2,
                recurrent_dropout=0.2, epochs=2, learning_rate=0.002, batch_size=64,
                random_state=seed,
            )
        ),
        False,
    ),
    "LSTM 48, bidirectional": (
        lambda seed: of_words(
            LSTMClassifier(
                48, pooling="max", bidirectional=True, embedding_dim=64, dropout=0.5,
                epochs=2, learning_rate=0.002, batch_size=64, random_state=seed,
            )
        ),
        False,
    ),
    "Conv1D 250 x 3, separable": (
        lambda seed: of_words(
            Conv1DClassifier(
                250, kernel_size=3, separable=True, dense_units=25, dropout=0.5,
                embedding_dim=64, epochs=3, learning_rate=0.002, batch_size=64,
                random_state=seed,
            )
        ),
        False,
    ),
    "mean of words": (
        lambda seed: of_words(
            DenseClassifier(
                (), pooling="mean", embedding_dim=64, dropout=0.5, epochs=5,
                learning_rate=0.003, batch_size=64, random_state=seed,
            )
        ),
        False,
    ),
    "mean of pieces": (of_pieces, False),
    "mean of pieces, smoothed, confidence": (
        lambda seed: of_pieces(seed, **SMOOTHED),
        True,
    ),
}  # fmt: skip


def measure(make, takes_confidence, tweets, of_one_split):
    """Measure the ROC AUC of each seed, and the seconds of a fit."""
    X, y = tweets["text"].to_numpy(), tweets["sentiment"].to_numpy()
    confidence = tweets["sentiment_confidence"].to_numpy()
    found, seconds = [], []
    for seed in range(5):
        split_seed = 0 if of_one_split else seed
        folds = StratifiedGroupKFold(5, shuffle=True, random_state=split_seed)
        train, test = list(folds.split(X, y, groups=X))[seed]
        model = make(seed)
        options = {}
        if takes_confidence:
            options[f"{model.steps[-1][0]}__sample_weight"] = confidence[train]
        start = time.perf_counter()
        model.fit(X[train], y[train], **options)
        seconds.append(time.perf_counter() - start)
        outputs = model.predict_proba(X[test])
        found.append(roc_auc_score(y[test], outputs, multi_class="ovr"))
    return found, float(np.median(seconds))


def main():
    """Measure the models that the command line names, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("words", nargs="*")
    parser.add_argument("--folds", action="store_true")
    asked = parser.parse_args()
    path = scores.FOLDER / "gop_debate_sentiment.csv.gz"
    if not path.exists():
        raise SystemExit("The tweets are missing: set SKSEQ_DATA to their folder.")
    tweets = pd.read_csv(path)
    print("| model | ROC AUC | standard deviation | seconds |\n|---|---:|---:|---:|")
    for name, (make, takes_confidence) in MODELS.items():
        if asked.words and not any(word in name for word in asked.words):
            continue
        found, seconds = measure(make, takes_confidence, tweets, asked.folds)
        print(
            f"| {name} | {np.mean(found):.3f} | {np.std(found):.3f} | {seconds:.0f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
