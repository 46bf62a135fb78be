import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createSourceAddresses, isLoopback, proxyProblem } from './source-address.ts'

const behind = createSourceAddresses(['10.0.0.0/8', '2001:db8:ffff::/48'])
const direct = createSourceAddresses([])

describe('the address that a request comes from', () => {
  it.each([
    ['the peer', direct, '192.0.2.7', '', '192.0.2.7'],
    ['the peer, if no proxy is trusted', direct, '192.0.2.7', '198.51.100.1', '192.0.2.7'],
    ['the peer, if it is no proxy: anybody can send the header', behind, '192.0.2.7', '198.51.100.1', '192.0.2.7'],
    ['what the proxy wrote', behind, '10.1.2.3', '198.51.100.1', '198.51.100.1'],
    [
      'the last that is no proxy; what stands before it is made up',
      behind,
      '10.1.2.3',
      '1.1.1.1, 198.51.100.1, 10.9.9.9',
      '198.51.100.1',
    ],
    ['the last proxy, if what it wrote is no address', behind, '10.1.2.3', '1.1.1.1, junk', '10.1.2.3'],
    ['the first of a chain of proxies', behind, '10.1.2.3', '10.0.0.1, 10.0.0.2', '10.0.0.1'],
    ['without a port', behind, '10.1.2.3', '198.51.100.1:4711', '198.51.100.1'],
    ['IPv4 inside of IPv6', behind, '::ffff:10.1.2.3', '::ffff:198.51.100.1', '198.51.100.1'],
    ['a /64 of IPv6', direct, '2001:db8:1:2:3:4:5:6', '', '2001:db8:1:2::/64'],
    ['a short /64', direct, '2001:DB8::7', '', '2001:db8:0:0::/64'],
    ['a /64 in brackets with a port', behind, '2001:db8:ffff::1', '[2001:db8:1:2::9]:443', '2001:db8:1:2::/64'],
    ['a link-local address with its zone', direct, 'fe80::1%eth0', '', 'fe80:0:0:0::/64'],
    ['unknown for a socket that is gone', direct, '', '', 'unknown'],
  ])('is %s', (_name, addresses, peer, forwarded, wanted) => {
    expect(addresses.of(peer, forwarded)).toBe(wanted)
  })

  it('is the same for all addresses of a /64, and for no other', () => {
    const group = fc.integer({ min: 0, max: 0xffff }).map((number) => number.toString(16))
    const eight = fc.array(group, { minLength: 8, maxLength: 8 })
    fc.assert(
      fc.property(eight, eight, (one, other) => {
        const [a, b] = [direct.of(one.join(':'), ''), direct.of(other.join(':'), '')]
        const same = one.slice(0, 4).join(':') === other.slice(0, 4).join(':')
        const mapped = [one, other].some((groups) => groups.slice(0, 6).join(':') === '0:0:0:0:0:ffff')
        if (!mapped) expect(a === b).toBe(same)
      }),
    )
  })

  it('never is what an untrusted peer claims, whatever it claims', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (claim) => {
        expect(behind.of('192.0.2.7', claim)).toBe('192.0.2.7')
      }),
    )
  })

  it('of this machine is known', () => {
    expect(
      [direct.of('127.0.0.1', ''), direct.of('::1', ''), direct.of('::ffff:127.0.0.1', ''), '10.0.0.1'].map(isLoopback),
    ).toEqual([true, true, true, false])
  })
})

describe('the public network that a request comes from', () => {
  it.each([
    ['an address of IPv4', direct, '192.0.2.7', '', '192.0.2.7'],
    ['what the proxy wrote', behind, '10.1.2.3', '198.51.100.1', '198.51.100.1'],
    ['a /48 of IPv6', direct, '2001:db8:1:2:3:4:5:6', '', '2001:db8:1::/48'],
    ['nothing for a private peer, which may be a load balancer', direct, '10.1.2.3', '198.51.100.1', null],
    ['nothing for this machine', direct, '127.0.0.1', '', null],
    ['nothing for a proxy that names no client', behind, '2001:db8:ffff::1', '', null],
    ['nothing for a socket that is gone', direct, '', '', null],
  ])('is %s', (_name, addresses, peer, forwarded, wanted) => {
    expect(addresses.publicNetworkOf(peer, forwarded)).toBe(wanted)
  })
})

describe('a trusted proxy', () => {
  it.each(['10.0.0.0/8', '10.1.2.3', '::1', '2001:db8::/32', '0.0.0.0/0'])('may be %s', (range) => {
    expect(proxyProblem(range)).toBeNull()
  })
  it.each(['', '10.0.0.0/33', '10.0.0/8', '10.0.0.0/8/8', 'proxy.example.org', '10.0.0.0/-1', '::/129', '10.0.0.0/'])(
    'cannot be %j',
    (range) => {
      expect(proxyProblem(range)).toContain('neither an address nor a range')
    },
  )
})
