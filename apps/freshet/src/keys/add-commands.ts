import { createSystemClock } from '@freshet/adapters/system/clock'
import type { Command } from 'commander'
import type { Terminal } from '../operations/terminal.ts'
import { secureRandom } from '../operations/terminal.ts'
import type { KeyFileArguments, KeySystem } from './command.ts'

/** Wraps a command so that its failure prints one line. */
type Guard = <Arguments extends readonly unknown[]>(
  run: (...given: Arguments) => Promise<void>,
) => (...given: Arguments) => Promise<void>

/** Adds `freshet keys …`. */
export function addKeyCommands(program: Command, guard: Guard, terminal: () => Terminal): void {
  const keys = program.command('keys').description('Manage the keys of callers, and show who may make which call')
  // Imported when a command runs: most commands need no tokens and no servers.
  const commands = () => import('./command.ts')
  const system = (): Terminal & KeySystem => ({ ...terminal(), clock: createSystemClock(), random: secureRandom })
  const inFile = (command: Command): Command =>
    command.option('--file <file>', 'the key file (access.keysFile)', 'keys.json')

  inFile(keys.command('create'))
    .description('Create a key and print it, once; the file keeps its hash, or the secret of a server key')
    .argument('<kind>', 'write (for pages and apps), server, admin or internal')
    .option('--project <name>', 'what the key is for', 'default')
    .option('--origin <origins...>', 'web origins whose pages may use a write key, e.g. https://www.example.org')
    .option('--expires <time>', 'how long it works, e.g. 90d; default: until it is revoked')
    .action(
      guard(async (kind: string, given: KeyFileArguments & { project: string; origin?: string[]; expires?: string }) =>
        (await commands()).runKeysCreate(kind, given, system()),
      ),
    )
  inFile(keys.command('list'))
    .description('List the keys, without anything secret')
    .option('--json', 'print one JSON list')
    .action(
      guard(async (given: KeyFileArguments & { json?: boolean }) => (await commands()).runKeysList(given, system())),
    )
  inFile(keys.command('revoke'))
    .description('End a key at once')
    .argument('<id>', 'id of the key, as `list` prints it')
    .action(guard(async (id: string, given: KeyFileArguments) => (await commands()).runKeysRevoke(id, given, system())))
  inFile(keys.command('rotate'))
    .description('Create a key like this one, and let this one expire')
    .argument('<id>', 'id of the key, as `list` prints it')
    .option('--overlap <time>', 'how long the old key still works', '7d')
    .action(
      guard(async (id: string, given: KeyFileArguments & { overlap: string }) =>
        (await commands()).runKeysRotate(id, given, system()),
      ),
    )
  keys
    .command('token')
    .description('Sign a read token of a user with the shared secret, for trying')
    .argument('<user>', 'id of the user')
    .requiredOption('--secret-file <file>', 'the secret (access.jwt.secretFile)')
    .option('--expires <time>', 'how long it works', '1h')
    .option('--issuer <name>', 'the issuer (access.jwt.issuer)')
    .option('--audience <name>', 'the audience (access.jwt.audience)')
    .action(
      guard(
        async (userId: string, given: { secretFile: string; expires: string; issuer?: string; audience?: string }) =>
          (await commands()).runKeysToken(userId, given, system()),
      ),
    )
  keys
    .command('sign')
    .description('Print the headers of a request that a server key signs, as options of curl')
    .argument('<path>', 'path of the request with its query, e.g. /v1/feed')
    .requiredOption('--secret-file <file>', 'file with the text of the server key')
    .option('--method <name>', 'method of the request', 'POST')
    .option('--body <file>', 'file with the body as it is sent; default: no body')
    .action(
      guard(async (path: string, given: { secretFile: string; method: string; body?: string }) =>
        (await commands()).runKeysSign(path, given, system()),
      ),
    )
  keys
    .command('matrix')
    .description('Print who may make which call of HTTP and gRPC, from the routes and methods that the servers have')
    .option('--json', 'print one JSON list')
    .action(
      guard(async (given: { json?: boolean }) => {
        const { runKeysMatrix } = await import('./matrix.ts')
        await runKeysMatrix(given, terminal())
      }),
    )
}
