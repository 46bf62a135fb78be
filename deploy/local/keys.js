// Makes the keys of the services in compose.yaml, and prints one. It runs in the image of `freshet`, which has no shell.
//
//   node keys.js                    makes the keys in KEYS_FOLDER, if there are none
//   node keys.js write|admin|server prints this key
//   node keys.js token USER         prints a read token of a user
import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const folder = process.env.KEYS_FOLDER ?? '/var/lib/freshet'
const at = (name) => join(folder, name)
const freshet = (...given) =>
  execFileSync(process.execPath, ['apps/freshet/src/main.ts', ...given], { stdio: ['ignore', 'pipe', 'inherit'] })
const kinds = ['internal', 'admin', 'server', 'write']

if (!existsSync(at('keys.json'))) {
  process.umask(0o077)
  for (const kind of kinds) writeFileSync(at(kind), freshet('keys', 'create', kind, '--file', at('new.json')))
  writeFileSync(at('jwt-secret'), `${randomBytes(32).toString('hex')}\n`)
  // Last, and at once: a start that was cut short makes all of them again.
  renameSync(at('new.json'), at('keys.json'))
}

const [what, user] = process.argv.slice(2)
if (what === undefined)
  console.log(
    'The keys: docker compose -f deploy/local/compose.yaml run --rm keys write (or admin, server, token USER)',
  )
else if (kinds.includes(what)) process.stdout.write(readFileSync(at(what)))
else if (what === 'token' && user !== undefined)
  process.stdout.write(freshet('keys', 'token', user, '--secret-file', at('jwt-secret')))
else {
  console.error(`the argument is "${[what, user].join(' ').trim()}"; give write, admin, server, internal or token USER`)
  process.exitCode = 1
}
