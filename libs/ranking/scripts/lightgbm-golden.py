"""Writes models of PyPI's lightgbm with rows and its predictions, to the last bit, as JSON.

    pip install lightgbm==4.7.0
    python3 lightgbm-golden.py > ../src/forest/golden/lightgbm.json          the cases that are committed
    python3 lightgbm-golden.py --random 200 > cases.json                     random models for the differential test

A case is {name, features, model, rows, raw, output}. `rows`, `raw` and `output` are doubles as 16 hex digits each, most
significant byte first; `rows` has `features` numbers per row. `raw` is predict(raw_score=True), `output` is predict().
"""
import argparse
import json
import sys

import lightgbm
import numpy

ZERO = float(numpy.float32(1e-35))
EDGES = [0.0, -0.0, ZERO, -ZERO, ZERO / 2, -ZERO / 2, 2 * ZERO, -2 * ZERO, 5e-324, 1e300, -1e300,
         numpy.inf, -numpy.inf, numpy.nan, 2.0**31, 2.0**32 + 1, -1.0, -0.5, 0.5, 1e10]
BASE = dict(verbose=-1, num_threads=1, deterministic=True, seed=7, min_data_in_leaf=5, min_data_per_group=5, cat_smooth=1,
            num_leaves=7)


def hexed(values):
    return numpy.ascontiguousarray(values, dtype=">f8").tobytes().hex()


def table(random, rows, numeric, categories):
    """Numbers with missing values and zeros, then one categorical column for each count of `categories`."""
    x = random.normal(size=(rows, numeric + len(categories)))
    x[random.random(x.shape) < 0.15] = numpy.nan
    x[random.random(x.shape) < 0.15] = 0.0
    for at, count in enumerate(categories):
        x[:, numeric + at] = random.integers(0, count, rows)
    return x


def labels(random, x, objective):
    score = numpy.nan_to_num(x[:, 0]) - numpy.nan_to_num(x[:, 1]) + 0.5 * numpy.sin(numpy.nan_to_num(x[:, -1]))
    score = score + random.normal(scale=0.5, size=len(x))
    if objective in ("regression", "regression_l1", "huber", "fair", "mape", "quantile"):
        return score * 3
    if objective in ("poisson", "gamma", "tweedie"):
        return random.poisson(numpy.exp(score * 0.5)) + (1.0 if objective == "gamma" else 0.0)
    if objective in ("lambdarank", "rank_xendcg"):
        return numpy.clip(numpy.round(score + 1.5), 0, 3)
    if objective in ("cross_entropy", "cross_entropy_lambda"):
        return 1 / (1 + numpy.exp(-score))
    return (score > 0).astype(float)


def case(name, random, params, rows=200, numeric=3, categories=(), rounds=3, asked=24):
    params = {**BASE, **params}
    x = table(random, rows, numeric, categories)
    y = labels(random, x, params["objective"])
    group = [20] * (rows // 20) if params["objective"] in ("lambdarank", "rank_xendcg") else None
    data = lightgbm.Dataset(x, y, group=group, categorical_feature=list(range(numeric, numeric + len(categories))))
    booster = lightgbm.train(params, data, rounds)
    q = table(random, asked, numeric, [int(count * 1.2) + 2 for count in categories])
    for row in range(asked // 2):
        q[row, random.integers(0, q.shape[1])] = EDGES[random.integers(0, len(EDGES))]
    model = booster.model_to_string()
    if name != "binary":
        model = model[: model.index("\nfeature_importances:") + 1]
    return dict(name=name, features=q.shape[1], model=model, rows=[hexed(row) for row in q],
                raw=hexed(booster.predict(q, raw_score=True)), output=hexed(booster.predict(q)))


def committed():
    random = numpy.random.default_rng(11)
    yield case("binary", random, dict(objective="binary"))
    yield case("binary with sigmoid 0.7", random, dict(objective="binary", sigmoid=0.7))
    yield case("zero as missing", random, dict(objective="binary", zero_as_missing=True))
    yield case("no missing values", random, dict(objective="binary", use_missing=False))
    yield case("300 categories", random, dict(objective="binary", max_bin=400, max_cat_threshold=200), rows=1500,
               categories=(300, 3, 40))
    yield case("categories one against the rest", random, dict(objective="binary", max_cat_to_onehot=20), categories=(9, 12))
    yield case("2 bins", random, dict(objective="binary", max_bin=2))
    yield case("5000 bins", random, dict(objective="regression", max_bin=5000, min_data_in_bin=1, min_data_in_leaf=1), rows=600)
    yield case("one leaf", random, dict(objective="binary", min_data_in_leaf=5000))
    yield case("regression", random, dict(objective="regression"))
    yield case("regression of roots", random, dict(objective="regression", reg_sqrt=True))
    yield case("dart", random, dict(objective="binary", boosting="dart", drop_rate=0.5), rounds=6)
    for objective in ("poisson", "gamma", "tweedie", "cross_entropy", "cross_entropy_lambda", "lambdarank", "rank_xendcg",
                      "regression_l1", "huber", "fair", "quantile", "mape"):
        yield case(objective, random, dict(objective=objective))


def randomised(count):
    random = numpy.random.default_rng(2026)
    objectives = ["binary", "binary", "binary", "regression", "poisson", "tweedie", "gamma", "cross_entropy", "lambdarank"]
    for number in range(count):
        params = dict(
            objective=objectives[random.integers(0, len(objectives))], num_leaves=int(random.integers(2, 64)),
            max_bin=int(random.choice([2, 3, 16, 255, 1000, 5000])), min_data_in_leaf=int(random.choice([1, 5, 20])),
            zero_as_missing=bool(random.integers(0, 2)), use_missing=bool(random.random() < 0.8),
            max_cat_to_onehot=int(random.choice([1, 4, 30])), max_cat_threshold=int(random.choice([4, 32, 300])),
            boosting=str(random.choice(["gbdt", "dart"])), learning_rate=float(random.choice([0.05, 0.3])),
            feature_fraction=float(random.choice([0.5, 1])), extra_trees=bool(random.random() < 0.2), seed=number)
        categories = [int(c) for c in random.choice([2, 5, 40, 400, 3000], size=random.integers(0, 4))]
        yield case(f"random {number}", random, params, rows=int(random.choice([200, 1000, 3000])),
                   numeric=int(random.integers(2, 9)), categories=categories, rounds=int(random.integers(1, 31)), asked=200)


arguments = argparse.ArgumentParser(description=__doc__)
arguments.add_argument("--random", type=int, default=0, metavar="COUNT")
count = arguments.parse_args().random
json.dump(dict(lightgbm=lightgbm.__version__, cases=list(randomised(count) if count else committed())), sys.stdout, indent=2)
print()
