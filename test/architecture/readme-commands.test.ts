import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { createCommandLine } from '@freshet/freshet/command-line'
import { describeConfig } from '@freshet/service/setting-rows'
import { describe, expect, it } from 'vitest'
import type { z } from 'zod'
import { commandsOf, wordsOf } from '../harness/readme-commands.ts'
import { readReadmes, root } from './readme-tables.ts'

type Command = ReturnType<typeof createCommandLine>

const readmes = [...readReadmes()]

/** What the READMEs print that begins with `begins`, with its file. */
function printed(begins: string): readonly (readonly [file: string, command: string])[] {
  return readmes.flatMap(([file, page]) => commandsOf(page, begins).map((command) => [file, command] as const))
}

/** The command that the words name, and the words after its name. */
function commandOf(words: readonly string[]): readonly [Command, readonly string[]] {
  let command = createCommandLine()
  let at = 0
  for (; at < words.length; at++) {
    const next = command.commands.find((sub) => sub.name() === words[at])
    if (next === undefined) break
    command = next
  }
  return [command, words.slice(at)]
}

describe('A27 · the commands of the READMEs', () => {
  const freshet = printed('npx freshet ')

  it('are found', () => {
    expect(freshet.length).toBeGreaterThan(20)
  })

  it.each(freshet)('%s: %s names a command and options that exist', (_file, printedCommand) => {
    const [command, rest] = commandOf(wordsOf(printedCommand).slice(2))
    const options = rest.filter((word) => word.startsWith('--')).map((word) => word.split('=')[0]!)
    const isNamed = command.parent !== null || options.includes('--help') || rest[0] === 'COMMAND'
    expect(isNamed, printedCommand).toBe(true)
    // They take settings.
    if (['dev', 'console'].includes(command.name()) || command.parent === null) return
    const known = new Set([...command.options.map(({ long }) => long), '--help'])
    expect(options.filter((option) => !known.has(option))).toEqual([])
  })

  const services = printed('npx node apps/')

  it.each(services)('%s: %s names settings that exist', async (_file, command) => {
    const [, , file, ...rest] = wordsOf(command)
    expect(existsSync(join(root, file!))).toBe(true)
    const { processSchema } = (await import(/* @vite-ignore */ join(root, file!, '../config.ts'))) as {
      processSchema: z.ZodObject
    }
    const known = new Set(['--help', '--config', ...describeConfig(processSchema).map(({ path }) => `--${path}`)])
    const given = rest.filter((word) => word.startsWith('--')).map((word) => word.split('=')[0]!)
    expect(given.filter((option) => !known.has(option))).toEqual([])
  })

  it.each(printed('npx vitest '))('%s: %s names paths that exist', (_file, command) => {
    const paths = wordsOf(command).filter((word) => /^(apps|libs|test)\//.test(word))
    expect(paths.filter((path) => !existsSync(join(root, path)))).toEqual([])
  })

  it('run on any Node: none calls a TypeScript file with the Node that is installed', () => {
    expect(printed('node ').filter(([, command]) => command.includes('.ts'))).toEqual([])
  })
})
