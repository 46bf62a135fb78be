import { BlockList, isIP, isIPv4 } from 'node:net'

/** Finds out which address a request comes from. */
export interface SourceAddresses {
  /**
   * The address that limits count, e.g. `192.0.2.7` or `2001:db8:1:2::/64`: one person has a whole /64 of IPv6. `peer`: the
   * other end of the connection. `forwarded`: the header `x-forwarded-for`. It counts only if the peer is a trusted proxy, and is read
   * from the right, up to the first address that is none.
   */
  of(peer: string, forwarded: string): string
  /**
   * The network of the same address if it is a public one, e.g. `192.0.2.7` or `2001:db8:1::/48`: anybody gets a /48 of IPv6 for nothing.
   * null: it is not known, or it is in a private network, so that it may be a load balancer's.
   */
  publicNetworkOf(peer: string, forwarded: string): string | null
  /** Whether a peer that may well be a load balancer, because it is in a private network, sends a header that does not count. */
  ignores(peer: string, forwarded: string): boolean
}

/** Networks of load balancers and proxies of one's own. */
const privateNetworks = [
  ...['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '100.64.0.0/10', '127.0.0.0/8'],
  ...['fc00::/7', 'fe80::/10', '::1'],
]

/** Creates the reader. `trusted`: addresses and ranges (CIDR) of proxies. Throws for one that cannot be read: check `proxyProblem` before. */
export function createSourceAddresses(trusted: readonly string[]): SourceAddresses {
  const isProxy = within(trusted)
  const isPrivate = within(privateNetworks)

  function addressOf(peer: string, forwarded: string): string | null {
    let address = plainAddress(peer)
    if (address === null || forwarded === '' || trusted.length === 0) return address
    // Longer chains are made up; the end is what trusted proxies wrote.
    const hops = forwarded.slice(-maxForwarded).split(',')
    for (let at = hops.length - 1; at >= 0 && isProxy(address); at--) {
      const hop: string | null = plainAddress(hops[at]?.trim() ?? '')
      if (hop === null) break
      address = hop
    }
    return address
  }

  return {
    ignores(peer, forwarded) {
      if (forwarded === '') return false
      const address = plainAddress(peer)
      return address !== null && isPrivate(address) && !isProxy(address)
    },
    of: remembering((peer, forwarded) => {
      const address = addressOf(peer, forwarded)
      return address === null ? 'unknown' : networkOf(address, 4)
    }),
    publicNetworkOf: remembering((peer, forwarded) => {
      const address = addressOf(peer, forwarded)
      return address === null || isPrivate(address) || isProxy(address) ? null : networkOf(address, 3)
    }),
  }
}

/** Peers whose addresses are remembered: a connection sends many requests, and to read its address costs more than a limit. */
const maxPeers = 1_000

/** A reader that remembers its answers for requests without `x-forwarded-for`. */
function remembering<Found>(
  read: (peer: string, forwarded: string) => Found,
): (peer: string, forwarded: string) => Found {
  const known = new Map<string, Found>()
  return (peer, forwarded) => {
    if (forwarded !== '') return read(peer, forwarded)
    let found = known.get(peer)
    if (found === undefined) {
      if (known.size >= maxPeers) known.clear()
      known.set(peer, (found = read(peer, '')))
    }
    return found
  }
}

/** Tells whether an address is in one of these ranges. */
function within(ranges: readonly string[]): (address: string) => boolean {
  const list = new BlockList()
  for (const range of ranges) {
    const parsed = rangeOf(range)
    if (parsed === null) throw new Error(`${range} is neither an address nor a range`)
    list.addSubnet(parsed.address, parsed.bits, parsed.family)
  }
  return (address) => list.check(address, isIPv4(address) ? 'ipv4' : 'ipv6')
}

/** Why a text is neither an address nor a range of addresses; null: it is one. */
export function proxyProblem(range: string): string | null {
  return rangeOf(range) === null
    ? `${JSON.stringify(range)} is neither an address nor a range such as 10.0.0.0/8`
    : null
}

const maxForwarded = 4_096

function rangeOf(range: string) {
  const [text = '', bits, ...more] = range.split('/')
  const family = isIP(text)
  const most = family === 4 ? 32 : 128
  const size = bits === undefined ? most : /^\d{1,3}$/.test(bits) ? Number(bits) : -1
  if (family === 0 || more.length > 0 || size < 0 || size > most) return null
  return { address: text, bits: size, family: family === 4 ? ('ipv4' as const) : ('ipv6' as const) }
}

/** An address without port, brackets, zone, and without the form that IPv4 has inside IPv6; null: it is none. */
function plainAddress(text: string): string | null {
  const bare = text.replace(/^\[(.*)\](:\d+)?$/, '$1').replace(/%.*$/, '')
  const address = isIP(bare) === 0 ? bare.replace(/:\d+$/, '') : bare
  const mapped = address.toLowerCase().startsWith('::ffff:') ? address.slice(7) : address
  if (isIPv4(mapped)) return mapped
  return isIP(address) === 6 ? address : null
}

/** IPv4 as it is; of IPv6 the first `length` groups of 16 bits. */
function networkOf(address: string, length: number): string {
  if (isIPv4(address)) return address
  const [head = '', tail = ''] = address.toLowerCase().split('::')
  const before = head === '' ? [] : head.split(':')
  const after = tail === '' ? [] : tail.split(':')
  const groups = address.includes('::')
    ? [...before, ...new Array<string>(Math.max(0, 8 - before.length - after.length)).fill('0'), ...after]
    : before
  const network = groups.slice(0, length).map((group) => Number.parseInt(group, 16).toString(16))
  return `${network.join(':')}::/${16 * length}`
}

/** Whether an address of `SourceAddresses` is this machine. */
export function isLoopback(address: string): boolean {
  return address.startsWith('127.') || address === '0:0:0:0::/64'
}
