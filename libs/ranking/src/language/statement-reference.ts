/** A statement as the reference page describes it. */
export interface StatementReference {
  /** The word that begins it. */
  readonly word: string
  readonly syntax: string
  readonly summary: string
  /** Statements that use it; a test compiles them. */
  readonly example: string
}

/** Every statement of the language, in the order in which a spec usually has them. */
export const statementReference: readonly StatementReference[] = [
  {
    word: 'spec',
    syntax: 'spec NAME [extends "FILE"]',
    summary:
      'Names the spec. With `extends`, the spec has all statements of another file, relative to this one. A statement of the same name replaces the inherited one at its place; `train` replaces single options, `expose` adds names.',
    example: 'spec related extends "./home.rank"',
  },
  {
    word: 'input',
    syntax: 'input NAME, … [: TYPE]',
    summary:
      'Declares what the spec reads. Serving knows the types of its inputs; for rows the type is required: `scalar`, `vector[n]`, `category`, `index[rows]`, `sequence[n] of TYPE`. Inputs of the groups `user`, `request` and `session` are the same for all candidates of a request. Every value may be missing.',
    example: 'input pin.saves, pin.impressions\ninput pin.topics: sequence[8] of category',
  },
  {
    word: 'const',
    syntax: 'const NAME = VALUE',
    summary:
      'Names a number, a text, a list or a map that formulas and parameters use. Arithmetic of constants is computed once, in double precision.',
    example:
      'const prior = 20\nconst cuts = [1, 10, prior * 5]\nfeature bucket = bucketise(pin.saves, boundaries: cuts)',
  },
  {
    word: 'function',
    syntax: 'function NAME(PARAMETER, …) = FORMULA',
    summary:
      'Names a formula with parameters. Each call is replaced by the formula, so a call of a learned transform has weights of its own.',
    example:
      'function smooth(acted, seen) = (acted + 1) / (seen + 50)\nfeature save_rate = smooth(pin.saves, pin.impressions)\nfeature click_rate = smooth(pin.clicks, pin.impressions)',
  },
  {
    word: 'feature',
    syntax: 'feature NAME = FORMULA',
    summary:
      'Names a value. Formulas have `+ - * / ^`, `< <= == != >= >`, `and or not`, `if … then … else …` and calls of transforms and functions. `GROUP.*` among the arguments stands for all declared inputs of a group, in order.',
    example:
      'feature fresh = if pin.age_hours < 24 then 1 else 0\nfeature pair = hash(cross(user.locale, pin.creator), rows: 65536)\nfeature counts = log1p(concat(pin.saves, pin.clicks))',
  },
  {
    word: 'first phase',
    syntax: 'first phase keep N by FORMULA',
    summary:
      'Keeps the N best candidates by a cheap score, so that the model scores only these. It may not read values that only training knows, or weights that no head trains.',
    example: 'first phase keep 200 by 0.5 * pin.save_rate + candidate.topic_affinity',
  },
  {
    word: 'layer',
    syntax: 'layer NAME = FORMULA',
    summary:
      'Names a part of the model. It is the same as a feature; the word tells readers that it learns. Two heads that read one layer share its weights.',
    example: 'layer trunk = mlp(concat(pin.save_rate, pin.saves), hidden: [16, 8])',
  },
  {
    word: 'head',
    syntax:
      'head NAME: probability|amount = FORMULA [, label: NAME] [, loss: WEIGHT] [, calibrate: none|platt|isotonic]',
    summary:
      'Predicts a label: a probability from its logit by log loss, or an amount from ln(1 + amount) by squared error. The formula gives one number. The label has the name of the head unless `label` says otherwise.',
    example:
      'layer trunk = mlp(concat(pin.save_rate, pin.saves), hidden: [16, 8])\nhead save: probability = linear(trunk), calibrate: platt\nhead dwell: amount = linear(trunk), label: dwell_seconds, loss: 0.5\nutility = 4 * save + 0.1 * dwell',
  },
  {
    word: 'utility',
    syntax: 'utility = WEIGHT * HEAD + …',
    summary: 'What the feed maximises: a sum of weights times predictions. A spec of one head may leave it out.',
    example:
      'head save: probability = linear(pin.saves)\nhead hide: probability = linear(pin.saves)\nutility = 4 * save - 10 * hide',
  },
  {
    word: 'explore',
    syntax: 'explore = FORMULA',
    summary:
      'The standard deviation of a candidate’s utility: how little is known about it. The blender adds a part of it and a draw to the utility, so that the feed also shows what may be good and finds out. The formula reads inputs and what is computed from them, nothing learned; below 0 or missing counts as 0. Without the statement there is no exploration.',
    example:
      'head save: probability = linear(pin.saves)\nutility = 4 * save\nexplore = 0.5 / (1 + pin.impressions) ^ 0.5',
  },
  {
    word: 'expose',
    syntax: 'expose NAME, …',
    summary: 'Records these single numbers with each served pin, and `freshet why` shows them.',
    example: 'feature rate = pin.saves / pin.impressions\nexpose rate, candidate.topic_affinity',
  },
  {
    word: 'training only',
    syntax: 'training only INPUT = NUMBER',
    summary:
      'Marks an input that is known only in training, such as the position. Serving uses the number instead. Only layers and heads may read it.',
    example:
      'input candidate.position: scalar\ntraining only candidate.position = 0\nlayer place = linear(log1p(candidate.position))\nhead save: probability = linear(concat(place, pin.saves))',
  },
  {
    word: 'train',
    syntax: 'train [epochs: N] [, batch: ROWS] [, rate: R] [, l2: R] [, dropout: SHARE] [, patience: EPOCHS]',
    summary:
      'How the model is trained. Defaults: 20 epochs, batches of 4096 rows, rate 0.001, no L2 penalty, no dropout, patience 2.',
    example: 'train epochs: 20, batch: 4096, rate: 0.001, l2: 0.00001, dropout: 0.2, patience: 2',
  },
]
