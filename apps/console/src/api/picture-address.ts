import type { ConsoleConfig } from './config.ts'

/** Where the picture of a pin is, as far as the page may load it. */
export interface PictureAddress {
  /** null: there is none that the page may load. */
  readonly url: string | null
  /** The web origin from which the page may not load the picture; null: it may, or there is no picture. */
  readonly refusedOrigin: string | null
}

/** The address of a pin's picture. The catalogue that ships has one for every pin. `own`: the origin of the page. */
export function pictureAddress(
  pinId: string,
  imageUrl: string,
  { capabilities, imageOrigins, own }: Pick<ConsoleConfig, 'capabilities' | 'imageOrigins'> & { readonly own: string },
): PictureAddress {
  if (capabilities.pictures) return { url: `/pictures/${encodeURIComponent(pinId)}.svg`, refusedOrigin: null }
  if (imageUrl === '') return { url: null, refusedOrigin: null }
  const url = URL.parse(imageUrl, own)
  if (url === null) return { url: null, refusedOrigin: null }
  const isAllowed = url.protocol === 'data:' || url.origin === own || imageOrigins.some((each) => covers(each, url))
  return isAllowed ? { url: url.href, refusedOrigin: null } : { url: null, refusedOrigin: url.origin }
}

/** Whether a source of the content-security policy, such as `https://*.example.org`, covers an address. */
function covers(source: string, url: URL): boolean {
  const [, scheme, host] = /^(?:([a-z][a-z0-9+.-]*):\/\/)?([^/]*)/i.exec(source) ?? []
  if (scheme !== undefined && `${scheme}:` !== url.protocol) return false
  if (host === undefined || host === '' || host === '*') return true
  const hostname = host.startsWith('*.') ? host.slice(1) : host
  return host.startsWith('*.') ? url.host.endsWith(hostname) : url.host === hostname
}
