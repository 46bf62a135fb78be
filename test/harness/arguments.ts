import { parseArgs, type ParseArgsConfig, type ParseArgsOptionsConfig } from 'node:util'

/** Exit code of a program that was started in a wrong way (EX_CONFIG), as `freshet` has it. */
const wrongUse = 78

type Values<Options extends ParseArgsOptionsConfig> = ReturnType<
  typeof parseArgs<{ readonly options: Options; readonly strict: true } & ParseArgsConfig>
>['values']

/**
 * The options of a program. `--help` prints how to use it and ends it with 0. A wrong option prints what is wrong and how to use it, and ends it with 78.
 * `named`: what the usage calls the value of each option that has one; the value of an option named `N` must be a number.
 */
export function readArguments<const Options extends ParseArgsOptionsConfig>(
  command: string,
  options: Options,
  named: { readonly [Name in keyof Options]?: string },
): Values<Options> {
  const usage = `usage: ${[command, ...Object.keys(options).map((name) => usageOf(name, options[name], named[name]))].join(' ')}`
  try {
    const all: ParseArgsOptionsConfig = { ...options, help: { type: 'boolean' } }
    const { values } = parseArgs({ options: all, strict: true })
    if (values['help'] === true) {
      console.log(usage)
      process.exit(0)
    }
    for (const [name, value] of Object.entries(values))
      if (named[name] === 'N' && !(typeof value === 'string' && /^\d+(\.\d+)?$/.test(value)))
        throw new TypeError(`--${name} is ${JSON.stringify(value)}; give a number`)
    return values as Values<Options>
  } catch (error) {
    return refuseArguments(`${(error as Error).message}\n${usage}`)
  }
}

/** Prints what is wrong with the arguments of a program and ends it. */
export function refuseArguments(problem: string): never {
  console.error(problem)
  process.exit(wrongUse)
}

function usageOf(name: string, option: ParseArgsOptionsConfig[string] | undefined, value = 'VALUE'): string {
  return option?.type === 'boolean' ? `[--${name}]` : `[--${name} ${value}]${option?.multiple === true ? '…' : ''}`
}
