import { redisAclRules } from '@freshet/adapters/redis/acls'
import { serviceRights, type ServiceRights } from '@freshet/contracts/service-rights'
import { ArgumentError } from './arguments.ts'
import { principalOf } from './topics.ts'

/** The options of `freshet redis acls`, as text. */
export interface RedisAclsArguments {
  readonly userPrefix: string
  readonly keyPrefix: string
}

/** `freshet redis acls`: prints the least rights of each service in Redis, as `ACL SETUSER` for `redis-cli`. The users get no passwords. */
export function runRedisAcls({ userPrefix, keyPrefix }: RedisAclsArguments): Promise<void> {
  if (/[{}\s]/.test(keyPrefix))
    throw new ArgumentError(`--key-prefix is ${keyPrefix}; give a text without braces and spaces`)
  for (const [service, { store }] of Object.entries<ServiceRights>(serviceRights)) {
    if (store === null) continue
    console.log(
      ['ACL SETUSER', principalOf(userPrefix, service), 'reset', ...redisAclRules(store, keyPrefix)].join(' '),
    )
  }
  return Promise.resolve()
}
