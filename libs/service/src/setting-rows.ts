import type { SettingMeta } from '@freshet/settings/setting'
import { z } from 'zod'

/** A setting, for README tables and `--help`. */
export interface SettingRow {
  /** Dotted path, e.g. `grpc.port`. */
  readonly path: string
  readonly env: string
  readonly type: string
  readonly unit: string
  readonly default: string
  readonly bounds: string
  readonly description: string
  readonly secret: boolean
  /** The values that the setting accepts, as JSON Schema. */
  readonly schema: Readonly<Record<string, unknown>>
}

/** The prefix of all our environment variables. */
export const variablePrefix = 'FRESHET_'

/** The environment variable of a dotted path: `grpc.maxBatchEvents` → `FRESHET_GRPC_MAX_BATCH_EVENTS`, `sources.long-walk` → `FRESHET_SOURCES_LONG_WALK`. */
export function envName(path: string): string {
  return (
    variablePrefix +
    path
      .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
      .replaceAll(/[.-]/g, '_')
      .toUpperCase()
  )
}

/** The settings of a schema, one row each, in the schema's order. */
export function describeConfig(schema: z.ZodObject): readonly SettingRow[] {
  const rows = described.get(schema) ?? rowsOf(schema, '')
  described.set(schema, rows)
  return rows
}

const described = new WeakMap<z.ZodObject, readonly SettingRow[]>()

function rowsOf(schema: z.ZodObject, base: string): SettingRow[] {
  const rows: SettingRow[] = []
  for (const [key, type] of Object.entries(schema.shape)) {
    const path = base === '' ? key : `${base}.${key}`
    const group: unknown = type instanceof z.ZodPrefault ? type.unwrap() : type
    if (group instanceof z.ZodObject) rows.push(...rowsOf(group, path))
    else rows.push(rowOf(path, type as z.ZodType))
  }
  return rows
}

function rowOf(path: string, type: z.ZodType): SettingRow {
  const shape = z.toJSONSchema(type, { io: 'input', unrepresentable: 'any' }) as Readonly<Record<string, unknown>>
  const meta = metaOf(type)
  const kind = Array.isArray(shape['type']) ? shape['type'].join('|') : shape['type']
  return {
    path,
    env: envName(path),
    type: typeof kind === 'string' ? kind : Array.isArray(shape['anyOf']) ? kindsOf(shape['anyOf']) : 'string',
    unit: meta.unit ?? '',
    default: 'default' in shape ? JSON.stringify(shape['default']) : '',
    bounds: boundsOf(shape),
    description: meta.description,
    secret: meta.secret === true,
    schema: shape,
  }
}

function kindsOf(options: readonly { readonly type?: string }[]): string {
  return options.map((option) => option.type ?? 'string').join('|')
}

function metaOf(type: z.ZodType): SettingMeta {
  let at: z.ZodType | undefined = type
  while (at !== undefined) {
    const meta = at.meta() as Partial<SettingMeta> | undefined
    if (meta?.description !== undefined) return { ...meta, description: meta.description }
    at = (at.def as { innerType?: z.ZodType }).innerType
  }
  return { description: '' }
}

function boundsOf(shape: Readonly<Record<string, unknown>>): string {
  if (Array.isArray(shape['enum'])) return shape['enum'].join(' | ')
  const low = bound(shape, ['minimum', 'minLength', 'minItems'])
  const high = bound(shape, ['maximum', 'maxLength', 'maxItems'])
  const above = bound(shape, ['exclusiveMinimum'])
  if (above !== null && low === null) return high === null ? `> ${above}` : `> ${above}, ≤ ${high}`
  if (low !== null && high !== null) return `${low}–${high}`
  return low !== null ? `≥ ${low}` : high !== null ? `≤ ${high}` : ''
}

function bound(shape: Readonly<Record<string, unknown>>, names: readonly string[]): number | null {
  for (const name of names) {
    const value = shape[name]
    if (typeof value === 'number' && Math.abs(value) < Number.MAX_SAFE_INTEGER) return value
  }
  return null
}

/** The dotted paths of all groups of settings: `grpc`, `candidates.retrieval`, `candidates.retrieval.sources`, … */
export function settingGroups(rows: readonly SettingRow[]): ReadonlySet<string> {
  return new Set(
    rows.flatMap(({ path }) => {
      const keys = path.split('.')
      return keys.slice(1).map((_, at) => keys.slice(0, at + 1).join('.'))
    }),
  )
}
