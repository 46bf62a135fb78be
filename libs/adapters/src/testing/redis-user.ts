import { serviceRights, type ServiceWithRights } from '@freshet/contracts/service-rights'
import { Redis } from 'ioredis'
import { redisAclRules } from '../redis/acls.ts'

/** Makes a user with the rights of a service, and no others, on a server where the default user may do everything. Returns the address for that user. */
export async function redisUser(url: string, service: ServiceWithRights, keyPrefix: string): Promise<string> {
  const { store } = serviceRights[service]
  if (store === null) throw new Error(`${service} does not use Redis`)
  const name = `${service}-${keyPrefix.replaceAll(/\W/g, '')}`
  const admin = new Redis(url)
  await admin.call('acl', 'setuser', name, 'reset', '>secret', ...redisAclRules(store, keyPrefix))
  await admin.quit()
  const address = new URL(url)
  address.username = name
  address.password = 'secret'
  return address.href
}
