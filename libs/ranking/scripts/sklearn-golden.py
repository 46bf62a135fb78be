"""Writes metrics and calibrations of random rows by scikit-learn, as JSON: the values that ours are compared with.

    pip install scikit-learn==1.9.1
    python3 sklearn-golden.py > ../src/metrics/golden/sklearn.json
"""
import json
import sys

import numpy
import sklearn
from sklearn.calibration import _sigmoid_calibration
from sklearn.isotonic import IsotonicRegression
from sklearn.metrics import log_loss, ndcg_score, roc_auc_score

random = numpy.random.default_rng(5)


def rows(count, ties, weighted):
    scores = random.normal(scale=2, size=count)
    if ties:
        scores = numpy.round(scores, 1)
    labels = (random.random(count) < 1 / (1 + numpy.exp(-0.6 * scores + 0.5))).astype(float)
    weights = random.gamma(2, size=count) if weighted else numpy.ones(count)
    return scores, labels, weights


def binary(count, ties, weighted):
    scores, labels, weights = rows(count, ties, weighted)
    probabilities = 1 / (1 + numpy.exp(-scores))
    asked = numpy.concatenate([random.normal(scale=3, size=20), scores[:5], [-100, 100]])
    a, b = _sigmoid_calibration(scores, labels, sample_weight=weights)
    isotonic = IsotonicRegression(out_of_bounds="clip", y_min=0, y_max=1).fit(scores, labels, sample_weight=weights)
    return dict(
        scores=scores.tolist(), labels=labels.tolist(), weights=weights.tolist() if weighted else None,
        auc=roc_auc_score(labels, scores, sample_weight=weights),
        logLoss=log_loss(labels, numpy.clip(probabilities, 1e-7, 1 - 1e-7), sample_weight=weights),
        ratio=float((weights * probabilities).sum() / (weights * labels).sum()),
        asked=asked.tolist(), platt=(1 / (1 + numpy.exp(a * asked + b))).tolist(), isotonic=isotonic.predict(asked).tolist())


def grouped(k):
    sizes = random.integers(2, 12, size=15)
    groups = [(numpy.round(random.normal(size=size), 1), random.integers(0, 3, size=size).astype(float)) for size in sizes]
    relevant = [(scores, labels) for scores, labels in groups if labels.any()]
    return dict(
        k=k, groupSizes=sizes.tolist(), scores=numpy.concatenate([scores for scores, _ in groups]).tolist(),
        labels=numpy.concatenate([labels for _, labels in groups]).tolist(),
        ndcg=float(numpy.mean([ndcg_score([labels], [scores], k=k) for scores, labels in relevant])))


json.dump(dict(
    scikitLearn=sklearn.__version__,
    binary=[binary(60, ties, weighted) for ties in (False, True) for weighted in (False, True)],
    grouped=[grouped(k) for k in (1, 5, 20)]), sys.stdout, indent=1)
print()
