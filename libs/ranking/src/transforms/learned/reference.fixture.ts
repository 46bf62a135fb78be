/** Arguments and weights of one row as nested arrays. */
type Nested = number[] & number[][] & number[][][]
type Reference = (
  args: readonly Nested[],
  params: Record<string, unknown>,
  weights: ReadonlyMap<string, Nested>,
) => number[]

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0)
const added = (a: readonly number[], b: readonly number[]): number[] => a.map((value, at) => value + b[at]!)
const times = (x: readonly number[], matrix: readonly (readonly number[])[], units: number): number[] =>
  Array.from({ length: units }, (_, unit) => sum(x.map((value, at) => value * matrix[at]![unit]!)))
/** All numbers of the arguments side by side. */
const flat = (args: readonly Nested[]): number[] => args.flat() as unknown as number[]
const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x))

function dense(x: readonly number[], name: string, weights: ReadonlyMap<string, Nested>): number[] {
  const bias: number[] = weights.get(`${name}_bias`)!
  return added(times(x, weights.get(`${name}_kernel`)!, bias.length), bias)
}

function hidden(x: readonly number[], params: Record<string, unknown>, weights: ReadonlyMap<string, Nested>): number[] {
  const layers = params['hidden'] as number[]
  return layers.reduce<number[]>(
    (before, _, layer) => {
      const name = `layer${layer}`
      const normal = (value: number, at: number): number => {
        const of = (part: string): number => weights.get(`${name}_${part}`)![at]!
        return ((value - of('mean')) / Math.sqrt(of('variance') + 1e-5)) * of('scale') + of('shift')
      }
      const linear = dense(before, name, weights)
      const normalised = params['normalise'] === true ? linear.map(normal) : linear
      return normalised.map((value) => {
        if (params['activation'] === 'tanh') return Math.tanh(value)
        return value > 0 ? value : params['activation'] === 'elu' ? Math.exp(value) - 1 : 0
      })
    },
    [...x],
  )
}

/** Σ over the hashes of an element; zeros for a missing one. */
function rowOf(table: readonly (readonly number[])[], hashes: readonly number[]): number[] {
  const rows = hashes.filter((row) => row >= 0).map((row) => table[row]!)
  return rows.reduce<number[]>(
    (total, row) => added(total, row),
    table[0]!.map(() => 0),
  )
}

function pooled(table: readonly (readonly number[])[], arg: Nested, pool: unknown): number[] {
  if (typeof arg[0] === 'number') return rowOf(table, arg)
  const elements: number[][] = arg
  const total = elements.map((hashes) => rowOf(table, hashes)).reduce(added)
  const count = pool === 'mean' ? Math.max(1, elements.filter(([first]) => first! >= 0).length) : 1
  return total.map((value) => value / count)
}

/** Each learned transform once more, in plain arithmetic on one row. */
export const references: Readonly<Record<string, Reference>> = {
  embedding: (args, { pool }, weights) => {
    if (pool !== 'none') return args.flatMap((arg, at) => pooled(weights.get(`table${at}`)!, arg, pool))
    const elements: number[][] = args[0]!
    return elements.flatMap((hashes) => [...rowOf(weights.get('table0')!, hashes), hashes[0]! >= 0 ? 1 : 0])
  },
  linear: (args, _params, weights) => {
    const numbers = flat(args.filter((_, at) => !weights.has(`table${at}`)))
    const start = numbers.length > 0 ? dense(numbers, 'numbers', weights) : [...weights.get('bias')!]
    return args.reduce<number[]>((total, arg, at) => {
      const table = weights.get(`table${at}`)
      return table === undefined ? total : added(total, pooled(table, arg, 'mean'))
    }, start)
  },
  mlp: (args, params, weights) => hidden(flat(args), params, weights),
  dcn_v2: (args, params, weights) => {
    const start = flat(args)
    const layers = Array.from({ length: params['cross'] as number }, (_, at) => `cross${at}`)
    const crossed = layers.reduce((x, name) => {
      const lower = weights.get(`${name}_lower`)
      const mapped = dense(lower === undefined ? x : times(x, lower, lower[0]!.length), name, weights)
      return x.map((value, at) => start[at]! * mapped[at]! + value)
    }, start)
    if ((params['hidden'] as number[]).length === 0) return crossed
    if (params['parallel'] === false) return hidden(crossed, params, weights)
    return [...crossed, ...hidden(start, params, weights)]
  },
  fm: (args, { size }) => {
    const all = flat(args)
    const vectors = Array.from({ length: all.length / (size as number) }, (_, at) =>
      all.slice(at * (size as number), (at + 1) * (size as number)),
    )
    const pairs = vectors.flatMap((a, at) => vectors.slice(at + 1).map((b) => sum(a.map((x, i) => x * b[i]!))))
    return [sum(pairs)]
  },
  bilinear: ([a, b], params, weights) => {
    const [units, heads] = [params['units'] as number, params['heads'] as number]
    const [left, right] = [a!.length / heads, b!.length / heads]
    return Array.from({ length: units }, (_, unit) =>
      sum(
        Array.from({ length: heads * left * right }, (_2, place) => {
          const [head, i, j] = [Math.floor(place / (left * right)), Math.floor(place / right) % left, place % right]
          return a![head * left + i]! * weights.get(`head${head}`)![i]![unit * right + j]! * b![head * right + j]!
        }),
      ),
    )
  },
  attend: ([given, ...target], { heads, size }, weights) => {
    const elements = (given as number[][])
      .filter((element) => element.at(-1) === 1)
      .map((element) => element.slice(0, -1))
    const query = dense(flat(target), 'query', weights)
    return Array.from({ length: heads as number }, (_, head) => {
      const part = (values: readonly number[]): number[] =>
        values.slice(head * (size as number), (head + 1) * (size as number))
      const fit = elements.map((element) =>
        sum(part(dense(element, 'key', weights)).map((k, at) => k * part(query)[at]!)),
      )
      const exps = fit.map((value) => Math.exp(value / Math.sqrt(size as number)))
      const values = elements.map((element) => part(dense(element, 'value', weights)))
      return Array.from({ length: size as number }, (_2, at) =>
        sum(values.map((value, element) => (exps[element]! / sum(exps)) * value[at]!)),
      )
    }).flat()
  },
  gate: ([x, ...context], params, weights) => {
    const by = hidden(context.length > 0 ? flat(context) : x!, params, weights)
    const shares = dense(by, 'gate', weights)
    return x!.map((value, at) => value * 2 * sigmoid(shares[at]!))
  },
}
