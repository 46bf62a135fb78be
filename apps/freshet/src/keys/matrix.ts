import { openAccess } from '@freshet/access/access'
import type { Caller } from '@freshet/access/caller'
import type { AccessError } from '@freshet/access/errors'
import { checkCaller, checkMessage, type CallRule } from '@freshet/access/rules'
import { rulesOf } from '@freshet/service/grpc-access'
import type { Terminal } from '../operations/terminal.ts'
import { serveNothing } from './served.ts'

/** What a caller may do with a call. `own`: for the user of its read token. */
export type Cell = 'yes' | 'own' | 'no'

/** The kinds of callers with keys, in the order of the table. */
export const callerKinds = {
  none: { kind: 'anonymous', keyId: 'anonymous', userId: null },
  write: { kind: 'write', keyId: 'write', userId: null },
  'write+token': { kind: 'write', keyId: 'write', userId: 'own' },
  token: { kind: 'reader', keyId: 'reader', userId: 'own' },
  server: { kind: 'server', keyId: 'server', userId: null },
  admin: { kind: 'admin', keyId: 'admin', userId: null },
  internal: { kind: 'internal', keyId: 'internal', userId: null },
} as const satisfies Readonly<Record<string, Caller>>

/** The name of a kind of callers in the table. */
export type CallerName = keyof typeof callerKinds

/** A call with who may make it. */
export interface MatrixRow {
  /** The server: `public`, `admin`, `feeds`, `operations`, `console` or `grpc`. */
  readonly server: string
  /** `POST /v1/feed`, or the full method of gRPC. */
  readonly call: string
  readonly rule: string
  readonly cells: Readonly<Record<CallerName, Cell>>
}

/** Every call of our servers with every kind of callers, from the routes and methods that the servers have. */
export async function accessMatrix(): Promise<readonly MatrixRow[]> {
  const { apps, services } = await serveNothing(openAccess)
  const routes = apps.flatMap(({ name, routes }) =>
    routes.map(({ method, path, rule, adminPort }) =>
      rowOf({ server: name, call: `${method} ${path}` }, adminPort && name === 'public' ? null : rule),
    ),
  )
  const methods = rulesOf(services).map(({ path, rule }) => rowOf({ server: 'grpc', call: path }, rule))
  return [...routes, ...methods]
}

/** `rule`: null: the server refuses the call to everybody. */
function rowOf(place: Pick<MatrixRow, 'server' | 'call'>, rule: CallRule<never> | null): MatrixRow {
  const cells = Object.entries(callerKinds).map(([name, caller]) => [name, rule === null ? 'no' : cellOf(rule, caller)])
  return {
    ...place,
    rule: rule === null ? 'on the admin port' : rule.rule,
    cells: Object.fromEntries(cells) as MatrixRow['cells'],
  }
}

function cellOf(rule: CallRule<never>, caller: Caller): Cell {
  if (!allows(() => checkCaller(rule, caller))) return 'no'
  const about = (user: string): boolean =>
    allows(() => checkMessage({ rule: rule.rule, user: () => user }, caller, undefined))
  if (rule.user === undefined || about('other')) return 'yes'
  return about('own') ? 'own' : 'no'
}

function allows(check: () => void): boolean {
  try {
    check()
    return true
  } catch (error) {
    if ((error as AccessError).code.startsWith('ACCESS_')) return false
    throw error
  }
}

/** `freshet keys matrix`: prints who may make which call. */
export async function runKeysMatrix(given: { readonly json?: boolean }, { write }: Terminal): Promise<void> {
  const rows = await accessMatrix()
  if (given.json === true) return write(`${JSON.stringify(rows)}\n`)
  const names = Object.keys(callerKinds) as CallerName[]
  const table = [
    ['server', 'call', 'rule', ...names],
    ...rows.map(({ server, call, rule, cells }) => [server, call, rule, ...names.map((name) => cells[name])]),
  ]
  const widths = table[0]!.map((_, column) => Math.max(...table.map((row) => row[column]!.length)))
  for (const row of table)
    write(
      `${row
        .map((text, at) => text.padEnd(widths[at]!))
        .join('  ')
        .trimEnd()}\n`,
    )
  write(
    '\nown: only for the user of the read token. explain, evaluation and atMs are for server, admin and internal keys.\n',
  )
}
