import { describe, expect, it } from 'vitest'
import { compileSpec } from './compile.ts'
import { LanguageError } from './problem.ts'
import { testCatalogue } from './testing.ts'

const inputs = `spec s
input user.id, pin.id: category
input pin.saves, pin.position: scalar
input saved: scalar
`

const files: Readonly<Record<string, string>> = {
  'a.rank': 'spec a extends "b.rank"',
  'b.rank': 'spec b extends "./a.rank"',
}

function readFile(path: string): string {
  if (files[path] === undefined) throw new Error('no such file')
  return files[path]
}

/** The problems of a spec as `line:column CODE message`; the five lines of inputs and the head do not count. */
function problemsOf(
  text: string,
  head = 'head save: probability = linear(pin.saves)\n',
  serving = false,
): readonly string[] {
  try {
    const known = [{ name: 'pin.saves', type: { kind: 'scalar' }, side: 'candidate' } as const]
    compileSpec(serving ? `spec s\n${text}` : `${inputs}${head}${text}`, {
      file: 'home.rank',
      catalogue: testCatalogue,
      inputs: serving ? known : null,
      readFile,
    })
    return []
  } catch (error) {
    if (!(error instanceof LanguageError)) throw error
    const before = serving ? 1 : inputs.split('\n').length + head.split('\n').length - 2
    return error.problems.map(({ span, code, message }) => `${span.line - before}:${span.column} ${code} ${message}`)
  }
}

describe('a mistake', () => {
  it.each([
    ['feature a = pin.save', '1:13 SPEC_UNKNOWN_NAME `pin.save` is not a name of this spec; did you mean `pin.saves`?'],
    [
      'feature a = logp(pin.saves)',
      '1:13 SPEC_UNKNOWN_NAME `logp` is not a transform or a function; did you mean `log1p`?',
    ],
    ['feature a = log1p', '1:13 SPEC_UNKNOWN_NAME `log1p` is a transform; write `log1p(…)`'],
    [
      'feature a = clip(pin.saves, lo: 1, high: 2)',
      '1:29 SPEC_PARAMETER `lo` is not a parameter of `clip`; did you mean `low`?',
    ],
    ['feature a = clip(pin.saves, high: 2)', '1:13 SPEC_PARAMETER `clip` needs the parameter `low`: give a number'],
    ['feature a = clip(pin.saves, low: x, high: 2)', '1:29 SPEC_PARAMETER `low` of `clip` is "x"; give a number'],
    ['feature a = hash(pin.id, rows: -1)', '1:26 SPEC_PARAMETER `rows` of `hash` is -1; give more than 0'],
    [
      'feature a = clip(pin.saves, low: pin.position, high: 2)',
      '1:34 SPEC_TYPE this must be a constant, but it depends on inputs',
    ],
    [
      'feature a = embedding(pin.saves, size: 2)',
      '1:23 SPEC_TYPE `embedding`: needs an index, such as `hash(…)`; this is scalar',
    ],
    ['feature a = concat(pin.saves, pin.id)', '1:31 SPEC_TYPE `concat`: needs numbers and vectors; this is category'],
    ['feature a = 1 / 0', '1:13 SPEC_TYPE this constant is not a finite number'],
    ['feature a = user.*', '1:13 SPEC_TYPE a group stands only among the arguments of a call, as in `cross(user.*)`'],
    [
      'feature a = cross(users.*)',
      '1:19 SPEC_UNKNOWN_NAME `users` is not a group of declared inputs; did you mean `user`?',
    ],
    ['feature a = b\nfeature b = a + 1', '2:13 SPEC_CYCLE `a` depends on itself: a → b → a'],
    ['function f(x) = f(x) + 1', '1:17 SPEC_CYCLE `f` depends on itself: f → f'],
    ['function f(x) = x + 1\nfeature a = f(1, 2)', '2:13 SPEC_TYPE `f(x)` takes 1 values, but gets 2'],
    [
      'function f(saved) = 2',
      '1:12 SPEC_SHADOWED the parameter `saved` shadows a statement of this name; choose another name',
    ],
    ['function log1p(x) = x', '1:10 SPEC_SHADOWED `log1p` shadows the transform of this name; choose another name'],
    ['feature saved = 2', '1:9 SPEC_SHADOWED `saved` shadows the input of home.rank:4; choose another name'],
    [
      'const c = 1\nlayer c = linear(pin.saves)',
      '2:7 SPEC_SHADOWED `c` shadows the const of home.rank:6; choose another name',
    ],
    ['feature pin = 2', '1:9 SPEC_SHADOWED `pin` shadows the group of the input pin.position; choose another name'],
    ['feature pin.a = 2', '1:9 SPEC_SHADOWED `pin.a` has a dot, which only names of inputs have; choose another name'],
    ['train epochs: 1\ntrain epochs: 2', '2:1 SPEC_SHADOWED a second `train`; the first is in line 6; keep one'],
    ['feature a = save * 2', '1:13 SPEC_READS_LABEL `save` is a head; only `utility` reads predictions'],
    [
      'head x: amount = pin.saves, label: dwell\nutility = save\nfeature a = dwell',
      '3:13 SPEC_READS_LABEL `dwell` is a label: it is known only after the pin was shown; leave it out of features and layers',
    ],
    [
      'head x: amount = saved, label: saved\nutility = save',
      '1:18 SPEC_READS_LABEL `saved` is a label: it is known only after the pin was shown; leave it out of features and layers',
    ],
    [
      'training only pin.position = 0\nexpose pin.position',
      '2:8 SPEC_READS_TRAINING_ONLY the exposed `pin.position` reads `pin.position`, which only training knows; only layers and heads may read it',
    ],
    [
      'training only pin.position = 0\nfeature p = log1p(pin.position)\nfirst phase keep 3 by p',
      '3:1 SPEC_READS_TRAINING_ONLY the first phase reads `pin.position`, which only training knows; only layers and heads may read it',
    ],
    [
      'training only pin.positon = 0',
      '1:15 SPEC_UNKNOWN_NAME `pin.positon` is not a declared input; did you mean `pin.position`?',
    ],
    [
      'first phase keep 3 by linear(pin.saves)',
      '1:1 SPEC_UNTRAINED the first phase reads a learned `linear` that no head reads, so nothing trains it; name it as a layer and read it in a head',
    ],
    [
      'first phase keep 0.5 by pin.saves',
      '1:18 SPEC_PARAMETER the first phase keeps a whole number of candidates of at least 1, not 0.5',
    ],
    [
      'utility = save * save',
      '1:11 SPEC_UTILITY the utility is a sum of weight · head, such as `4 * save - 10 * hide`; it does not multiply heads',
    ],
    ['utility = 2 * sav', '1:15 SPEC_UNKNOWN_NAME `sav` is not a head; did you mean `save`?'],
    [
      'utility = save + log1p(save)',
      '1:18 SPEC_UTILITY the utility is a sum of weight · head, such as `4 * save - 10 * hide`; take this out',
    ],
    [
      'explore = linear(pin.saves)',
      '1:1 SPEC_TYPE `explore` reads a learned `linear`; it may only read inputs and what is computed from them',
    ],
    [
      'training only pin.position = 0\nexplore = log1p(pin.position)',
      '2:1 SPEC_READS_TRAINING_ONLY `explore` reads `pin.position`, which only training knows; only layers and heads may read it',
    ],
    [
      'explore = user.id',
      '1:11 SPEC_TYPE the standard deviation of `explore` is one number (scalar), but this is category; for example `linear(…)` makes one',
    ],
    ['expose user.id', '1:8 SPEC_TYPE only single numbers are exposed, but `user.id` is category'],
    [
      'head x: probabilty = pin.saves\nutility = save',
      '1:9 SPEC_TYPE `probabilty` is not what a head predicts; did you mean `probability`?',
    ],
    [
      'head x: amount = pin.id\nutility = save',
      '1:18 SPEC_TYPE the head `x` is one number (scalar), but this is category; for example `linear(…)` makes one',
    ],
    [
      'head x: amount = pin.saves, calibrate: plat\nutility = save',
      '1:29 SPEC_PARAMETER `calibrate` of the head `x` is "plat"; give none, platt or isotonic',
    ],
    ['train epoch: 3', '1:7 SPEC_PARAMETER `epoch` is not a parameter of `train`; did you mean `epochs`?'],
    ['input q: vector', '1:10 SPEC_TYPE `vector` needs a size of at least 1; write `vector[8]`'],
    ['input q', '1:7 SPEC_TYPE the input `q` needs a type; write `input q: scalar`'],
    [
      'input q: sequence[8]',
      '1:10 SPEC_TYPE a sequence needs the type of its elements; write `sequence[8] of category`',
    ],
    ['input q: number', '1:10 SPEC_TYPE `number` is not a type; there are scalar, vector, category, index, sequence'],
  ])('in %j is named with its place', (text, expected) => {
    expect(problemsOf(text)).toEqual([expected])
  })
  it.each([
    [
      'input pin.saves\ninput pin.save\nhead a: amount = pin.saves',
      '2:7 SPEC_UNKNOWN_NAME `pin.save` is not an input of serving; did you mean `pin.saves`?',
    ],
    [
      'input pin.saves: category\nhead a: amount = 1',
      '1:18 SPEC_TYPE serving has another type of `pin.saves`; leave the type out',
    ],
    [
      'head a: amount = pin.saves',
      '1:18 SPEC_UNKNOWN_NAME the input `pin.saves` is not declared; add `input pin.saves`',
    ],
  ])('of a serving input in %j is named', (text, expected) => {
    expect(problemsOf(text, '', true)).toEqual([expected])
  })

  it.each([
    [
      '',
      '0:1 SPEC_INCOMPLETE the spec predicts nothing; add a head, such as `head save: probability = linear(concat(a, b))`',
    ],
    [
      'head a: amount = 1\nhead b: amount = 2',
      '0:1 SPEC_INCOMPLETE several heads need a utility; add for example `utility = 4 * save + 2 * click`',
    ],
  ])('of an incomplete spec %j is named', (text, expected) => {
    expect(problemsOf(text, '').map((problem) => problem.replace(/^-\d+/, '0'))).toEqual([expected])
  })

  it('of specs that extend each other, or one that is not there, is named', () => {
    const problem = (text: string) => {
      try {
        compileSpec(text, { file: './a.rank', catalogue: testCatalogue, inputs: null, readFile })
      } catch (error) {
        return (error as LanguageError).message
      }
      return ''
    }
    expect(problem('spec a extends "b.rank"')).toBe('b.rank:1:16: specs extend each other: a.rank → b.rank → a.rank')
    expect(problem('spec a extends "c.rank"')).toBe('./a.rank:1:16: c.rank cannot be read (no such file)')
  })
})

describe('several mistakes', () => {
  it('are counted in the message and listed with their codes', () => {
    const text = 'spec a\ninput a: scalar\nhead h: probability = lineer(a)\nexpose b'
    expect(() => compileSpec(text, { file: 'a.rank', catalogue: testCatalogue, inputs: null, readFile })).toThrow(
      /^2 mistakes:\n {2}a\.rank:3:23: SPEC_UNKNOWN_NAME: .*did you mean `linear`\?\n {2}a\.rank:4:8: SPEC_UNKNOWN_NAME: /,
    )
  })

  it('are listed at once, each once, in the order of the text', () => {
    expect(
      problemsOf(`feature a = pin.saves + unknown1
function twice(x) = x * unknown2
feature b = twice(a) + twice(pin.saves)
featur c = 3
feature d = a + b + c +
feature e = clip(d, low: 1)`).map((problem) => problem.split(' ').slice(0, 3).join(' ')),
    ).toEqual([
      '1:25 SPEC_UNKNOWN_NAME `unknown1`',
      '2:25 SPEC_UNKNOWN_NAME `unknown2`',
      '4:1 SPEC_SYNTAX `featur`',
      '5:24 SPEC_SYNTAX expected',
      '6:13 SPEC_PARAMETER `clip`',
    ])
  })
})

describe('a warning', () => {
  const warningsOf = (text: string) =>
    compileSpec(`${inputs}${text}`, {
      file: 'home.rank',
      catalogue: testCatalogue,
      inputs: null,
      readFile,
    }).warnings.map(({ message }) => message)

  it('names what nothing reads', () => {
    const all =
      'expose pin.position, saved\nhead y: amount = linear(embedding(hash(cross(user.id, pin.id), rows: 2), size: 2))\n'
    expect(warningsOf(`${all}const c = 2\nfunction f(x) = x\nfeature g = f(pin.saves)\nlayer h = linear(g)`)).toEqual([
      'nothing reads the input `pin.saves`',
      'nothing reads `c`',
      'no head, first phase, `explore` or `expose` reads `h`',
    ])
  })

  it('names a head that is the same for all candidates', () => {
    expect(warningsOf('head x: amount = linear(embedding(hash(user.id, rows: 2), size: 2))')).toContain(
      'the head `x` is the same for all candidates of a request',
    )
  })
})
