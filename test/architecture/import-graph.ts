import { readFileSync, readdirSync } from 'node:fs'
import { dirname, join, relative, sep } from 'node:path'

const root = join(import.meta.dirname, '../..')

/** Which files of ours a file imports, types included. Keys and values are paths from the root of the repository. */
export type ImportGraph = ReadonlyMap<string, readonly string[]>

/** The specifiers of all imports in a source text: static, dynamic, re-exports and types. */
export function importsOf(text: string): string[] {
  const found = text.matchAll(/(?:\bfrom|\bimport)\s*\(?\s*['"]([^'"]+)['"]/g)
  return [...found].map((match) => match[1]!)
}

/** The TypeScript files (also with JSX) below a folder, as paths from the root. */
export function sourcesOf(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.tsx?$/.test(entry.name))
    .filter((entry) => !/node_modules|assembly|client\/dist/.test(entry.parentPath))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)))
}

/** Reads the imports of every file in `folders`. */
export function readImportGraph(folders: readonly string[]): ImportGraph {
  const files = folders.flatMap(sourcesOf)
  const known = new Set(files)
  return new Map(
    files.map((file) => {
      const targets = importsOf(readFileSync(join(root, file), 'utf8')).map((specifier) => resolve(file, specifier))
      return [file, [...new Set(targets.filter((target) => target !== null && known.has(target)))] as string[]]
    }),
  )
}

/** The groups of files that import one another in a circle, each sorted (the strongly connected components by Tarjan). */
export function circlesIn(graph: ImportGraph): string[][] {
  const order = new Map<string, number>()
  const lowest = new Map<string, number>()
  const path: string[] = []
  const onPath = new Set<string>()
  const circles: string[][] = []

  function visit(file: string): number {
    const number = order.size
    order.set(file, number)
    lowest.set(file, number)
    path.push(file)
    onPath.add(file)
    for (const target of graph.get(file) ?? []) {
      if (!order.has(target)) lowest.set(file, Math.min(lowest.get(file)!, visit(target)))
      else if (onPath.has(target)) lowest.set(file, Math.min(lowest.get(file)!, order.get(target)!))
    }
    if (lowest.get(file) === number) {
      const group = path.splice(path.indexOf(file))
      for (const member of group) onPath.delete(member)
      if (group.length > 1 || graph.get(file)?.includes(file)) circles.push(group.sort())
    }
    return lowest.get(file)!
  }

  for (const file of graph.keys()) if (!order.has(file)) visit(file)
  return circles
}

/** The file that a specifier names, or null where it is not one of ours. */
function resolve(file: string, specifier: string): string | null {
  if (specifier.startsWith('.')) return relative(root, join(root, dirname(file), specifier))
  const [scope, name, ...rest] = specifier.split('/')
  if (scope !== '@freshet' || name === undefined) return null
  const room = roomOf(name)
  return room === null ? null : `${join(room, 'src', ...rest)}.ts`
}

const rooms = new Map(
  ['libs', 'apps'].flatMap((kind) => readdirSync(join(root, kind)).map((name) => [name, kind + sep + name] as const)),
)

function roomOf(name: string): string | null {
  return rooms.get(name) ?? null
}
