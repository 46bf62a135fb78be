import type { z } from 'zod'
import { ConfigError } from './errors.ts'
import { describeConfig, type SettingRow } from './setting-rows.ts'

/** A process's arguments. */
export interface CommandLine {
  readonly help: boolean
  readonly version: boolean
  /** The FILE of `--config FILE`; null: not given. */
  readonly file: string | null
  /** The settings from `--dotted.path value` and `--dotted.path=value`. */
  readonly settings: Readonly<Record<string, string>>
}

/** Reads `--help`, `--version`, `--config FILE` and settings. Throws a ConfigError that lists what it does not understand. */
export function commandLine(argv: readonly string[]): CommandLine {
  const settings: Record<string, string> = {}
  const problems: string[] = []
  let help = false
  let version = false
  for (let i = 0; i < argv.length; i++) {
    const argument = argv[i] as string
    const match = /^--([A-Za-z][\w.-]*)(?:=(.*))?$/s.exec(argument)
    if (argument === '-h' || argument === '--help') help = true
    else if (argument === '--version') version = true
    else if (match === null)
      problems.push(
        `${argument} is not an option; the options are --help, --version, --config FILE and --setting value`,
      )
    else {
      const following = argv[i + 1]
      const takesNext = match[2] === undefined && following !== undefined && !following.startsWith('--')
      if (takesNext) i++
      const value = takesNext ? following : match[2]
      if (value === undefined) problems.push(`${argument} needs a value`)
      else settings[match[1] as string] = value
    }
  }
  if (problems.length > 0) throw new ConfigError(problems)
  const { config, ...others } = settings
  return { help, version, file: config ?? null, settings: others }
}

/** The text of `--help`: every setting with its variable, default, bounds and meaning. */
export function helpText(name: string, description: string, schema: z.ZodObject): string {
  const rows = describeConfig(schema)
  const lines = rows.map((row) => `  --${row.path}  (${row.env})\n      ${row.description}${detailsOf(row)}`)
  return `${name}: ${description}\n\nUsage: ${name} [--config FILE] [--setting value …]\n\nSettings (defaults ← file ← environment ← command line):\n${lines.join('\n')}\n`
}

function detailsOf(row: SettingRow): string {
  const details = [
    row.default === '' ? 'required' : `default ${row.default}`,
    ...(row.bounds === '' ? [] : [row.bounds]),
    ...(row.unit === '' ? [] : [row.unit]),
  ]
  return ` [${details.join('; ')}]`
}
