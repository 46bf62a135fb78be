import { gzipSync } from 'node:zlib'
import ts from 'typescript'

/** A variable of the program: its name, where that stands, and the scopes in which nothing else may have it. */
interface Variable {
  name: string
  readonly spots: { readonly at: number; readonly length: number; readonly isShorthand: boolean }[]
  readonly scopes: Set<ts.Node>
}

/** The names that minifiers use most. */
const names = Array.from('etnriaoscludfpmhgvybxwkjqz_$CDEFGHIJKLMNOPQRSTUVWXYZAB')

/**
 * Renames the variables of a minified module so that gzip makes it smaller: it swaps names of variables, `attempts` times, and
 * keeps what does not make it larger. The same module always gives the same result.
 */
export function withShorterNames(code: string, attempts: number): string {
  const { variables, free } = variablesOf(code)
  const rivals = new Map(
    variables.map((one) => [
      one,
      variables.filter((other) => other !== one && [...one.scopes].some((scope) => other.scopes.has(scope))),
    ]),
  )
  const spots = variables
    .flatMap((variable) => variable.spots.map((spot) => ({ ...spot, variable })))
    .toSorted((a, b) => a.at - b.at)
  const render = (): string => {
    let text = ''
    let end = 0
    for (const { at, length, isShorthand, variable } of spots) {
      const field = code.slice(at, at + length)
      text += code.slice(end, at) + (isShorthand && field !== variable.name ? `${field}:` : '') + variable.name
      end = at + length
    }
    return text + code.slice(end)
  }
  const candidates = names.filter((name) => !free.has(name))
  let best = render()
  let leastBytes = gzipSync(best, { level: 9 }).length
  const random = randomBelow()
  for (let attempt = 0; attempt < attempts; attempt++) {
    const one = variables[random(variables.length)]!
    // The first ones more often.
    const name = candidates[random(1 + random(candidates.length))]!
    const before = one.name
    const holders = rivals.get(one)!.filter((rival) => rival.name === name)
    if (name === before) continue
    if (holders.some((holder) => rivals.get(holder)!.some((rival) => rival !== one && rival.name === before))) continue
    one.name = name
    for (const holder of holders) holder.name = before
    const text = render()
    const bytes = gzipSync(text, { level: 9 }).length
    if (bytes <= leastBytes) {
      best = text
      leastBytes = bytes
    } else {
      one.name = before
      for (const holder of holders) holder.name = name
    }
  }
  return best
}

/** The variables of a module, and the names that it uses without declaring them. */
function variablesOf(code: string): { readonly variables: readonly Variable[]; readonly free: ReadonlySet<string> } {
  const name = 'module.js'
  const source = ts.createSourceFile(name, code, ts.ScriptTarget.ES2022, true, ts.ScriptKind.JS)
  const host: ts.CompilerHost = {
    ...ts.createCompilerHost({}),
    getSourceFile: (file) => (file === name ? source : undefined),
    writeFile: () => undefined,
  }
  const options = { allowJs: true, noLib: true, noResolve: true, types: [], target: ts.ScriptTarget.ES2022 }
  const checker = ts.createProgram([name], options, host).getTypeChecker()
  const found = new Map<ts.Symbol, Variable>()
  const free = new Set<string>()
  const visit = (node: ts.Node): void => {
    ts.forEachChild(node, visit)
    if (!ts.isIdentifier(node) || isField(node)) return
    const isShorthand =
      ts.isShorthandPropertyAssignment(node.parent) ||
      (ts.isBindingElement(node.parent) && node.parent.name === node && isShortBinding(node.parent))
    const symbol = ts.isShorthandPropertyAssignment(node.parent)
      ? checker.getShorthandAssignmentValueSymbol(node.parent)
      : ts.isExportSpecifier(node.parent)
        ? checker.getExportSpecifierLocalTargetSymbol(node.parent)
        : checker.getSymbolAtLocation(node)
    const declaration = symbol?.declarations?.[0]
    if (!symbol || !declaration) {
      free.add(node.text)
      return
    }
    const variable = found.get(symbol) ?? { name: node.text, spots: [], scopes: new Set<ts.Node>() }
    found.set(symbol, variable)
    variable.spots.push({ at: node.getStart(source), length: node.text.length, isShorthand })
    const last = scopeOf(declaration.parent)
    for (let scope = scopeOf(node.parent); scope !== last; scope = scopeOf(scope.parent)) variable.scopes.add(scope)
    variable.scopes.add(last)
  }
  visit(source)
  return { variables: [...found.values()], free }
}

/** `{ a }` and `{ a = 1 }` as patterns. */
function isShortBinding(element: ts.BindingElement): boolean {
  return ts.isObjectBindingPattern(element.parent) && !element.propertyName && !element.dotDotDotToken
}

/** The identifier is the name of a field or of an export, not of a variable. */
function isField(node: ts.Identifier): boolean {
  const { parent } = node
  return (
    (ts.isPropertyAccessExpression(parent) && parent.name === node) ||
    (ts.isPropertyAssignment(parent) && parent.name === node) ||
    (ts.isMethodDeclaration(parent) && parent.name === node) ||
    (ts.isBindingElement(parent) && parent.propertyName === node) ||
    (ts.isExportSpecifier(parent) && parent.name === node && parent.propertyName !== undefined)
  )
}

/** The scope around a node; the body of a function, a loop or a `catch` shares the scope of its head. */
function scopeOf(node: ts.Node): ts.Node {
  if (ts.isSourceFile(node) || ts.isFunctionLike(node) || ts.isCatchClause(node)) return node
  if (ts.isForStatement(node) || ts.isForOfStatement(node) || ts.isForInStatement(node)) return node
  if (ts.isBlock(node) && !ts.isFunctionLike(node.parent) && !ts.isCatchClause(node.parent)) return node
  return scopeOf(node.parent)
}

/** Whole numbers below a bound, always the same ones. */
function randomBelow(): (bound: number) => number {
  let seed = 1
  return (bound) => {
    seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31
    return Math.floor((seed / 2 ** 31) * bound)
  }
}
