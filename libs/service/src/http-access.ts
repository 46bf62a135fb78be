import type { Access, Identified } from '@freshet/access/access'
import { anonymousCaller, openCaller, type Caller } from '@freshet/access/caller'
import { AccessError } from '@freshet/access/errors'
import { checkCaller, checkMessage, readsMessage, type CallRule } from '@freshet/access/rules'
import { emptySha256, type PendingSignature } from '@freshet/access/signature'
import type { FastifyInstance, FastifyRequest } from 'fastify'

/** A route with who may send requests to it. */
interface AccessRoute {
  readonly method: string
  readonly path: string
  readonly rule: CallRule<never>
  readonly adminPort: boolean
}

declare module 'fastify' {
  interface FastifyInstance {
    /** Every route but those for preflights, in the order in which they were added. */
    readonly accessRoutes: readonly AccessRoute[]
  }
  interface FastifyContextConfig {
    /** Who may send requests to the route. Every route needs a rule. */
    access?: CallRule<never>
    /** The route is for the admin port. The public port of a process with keys refuses it. */
    adminPort?: boolean
  }
  interface FastifyRequest {
    /** Who sends the request. */
    caller: Caller
    /** The signature of the request until it is checked with the body. */
    unchecked: PendingSignature | null
    /** Whether `checkAccess` has seen the message. */
    messageChecked: boolean
    /** Checks what the message of the request says against the rule of the route. Throws an AccessError. */
    checkAccess(message: unknown): void
    /** Checks the signature of the request, if it has one. Throws an AccessError. `bodySha256`: of the bytes as sent. */
    checkSignature(bodySha256: string): void
  }
}

/** What the access of an HTTP server needs. */
export interface HttpAccessOptions {
  /** Name of the server in messages of defects. */
  readonly name: string
  readonly access: Access
  /** Called for every refused request with its code. */
  readonly onRefused: (code: string) => void
  /** The name and port of the server that serves admin calls, if this one does not: `admin port 8081`. Absent: this one serves them. */
  readonly adminCallsAt?: string
}

/** Checks the caller of every request before its body is read. Adding a route without a rule throws. */
export function addHttpAccess(app: FastifyInstance, options: HttpAccessOptions): void {
  const { access, onRefused } = options
  const counted = (error: unknown): Error => {
    if (error instanceof AccessError) onRefused(error.code)
    return error as Error
  }
  const orRefuse = (check: () => void): void => {
    try {
      check()
    } catch (error) {
      throw counted(error)
    }
  }
  app.decorateRequest('caller')
  app.decorateRequest('unchecked', null)
  app.decorateRequest('messageChecked', false)
  app.decorateRequest('checkAccess', function (message) {
    const rule = this.routeOptions.config.access as CallRule | undefined
    this.messageChecked = true
    if (rule !== undefined) orRefuse(() => checkMessage(rule, this.caller, message))
  })
  app.decorateRequest('checkSignature', function (bodySha256) {
    const signature = this.unchecked
    if (signature === null) return
    this.unchecked = null
    orRefuse(() => signature.check({ method: this.method, path: this.raw.url ?? '', bodySha256 }))
  })

  const routes: AccessRoute[] = []
  app.decorate('accessRoutes', routes)
  app.addHook('onRoute', (route) => {
    // The plugin for CORS adds one route, which answers preflights.
    if (route.method === 'OPTIONS' && route.url === '*') {
      route.config = { ...route.config, access: { rule: 'public' } }
      return
    }
    const { access: rule, adminPort = false } = route.config ?? {}
    if (rule === undefined)
      throw new Error(`${options.name}: the route ${String(route.method)} ${route.url} has no access rule`)
    for (const method of [route.method].flat()) routes.push({ method, path: route.url, rule, adminPort })
  })
  const stranger = access.open ? openCaller : anonymousCaller
  app.addHook('onRequest', (request, _reply, done) => {
    request.caller = stranger
    done()
  })
  // After all hooks of the request, so that refusals have the headers of CORS, and before the body is read.
  app.addHook('preParsing', (request, _reply, payload, done) => {
    const { access: rule } = request.routeOptions.config
    // Unknown paths have no rule: every caller gets 404.
    if (access.open || request.is404 || rule === undefined || rule.rule === 'public') return done(null, payload)
    const refuse = (error: unknown): void => done(counted(error))
    const admitted = (identified: Identified): void => {
      try {
        admit(request, rule, identified, options)
      } catch (error) {
        return refuse(error)
      }
      done(null, payload)
    }
    try {
      const identified = access.identify(valuesIn(request))
      if ('then' in identified) identified.then(admitted, refuse)
      else admitted(identified)
    } catch (error) {
      refuse(error)
    }
  })
  app.addHook('preValidation', (request, _reply, done) => {
    try {
      // A request without a body. The signature of a body is checked before the body is parsed.
      request.checkSignature(emptySha256)
    } catch (error) {
      return done(error as Error)
    }
    done()
  })
  app.addHook('onSend', (request, reply, payload, done) => {
    const { access: rule } = request.routeOptions.config
    if (reply.statusCode === 401) reply.header('www-authenticate', 'Bearer realm="freshet"')
    const forgotten = rule !== undefined && readsMessage(rule) && !request.messageChecked
    // Fails closed: an answer to a message that nobody checked does not leave.
    if (forgotten && reply.statusCode < 400)
      done(new Error(`${options.name}: ${request.routeOptions.url ?? ''} answered without checkAccess`))
    else done(null, payload)
  })
}

function admit(
  request: FastifyRequest,
  rule: CallRule<never>,
  { caller, signature, origins }: Identified,
  { adminCallsAt }: HttpAccessOptions,
): void {
  request.caller = caller
  request.unchecked = signature
  checkCaller(rule, caller)
  if (adminCallsAt !== undefined && request.routeOptions.config.adminPort === true)
    throw new AccessError('ACCESS_ADMIN_PORT', `the call is served on the ${adminCallsAt} only; send it there`)
  const { origin } = request.headers
  if (origins === null || origin === undefined || origins.includes('*') || origins.includes(origin)) return
  throw new AccessError(
    'ACCESS_ORIGIN_DENIED',
    `the key is not for the web origin ${JSON.stringify(origin.slice(0, 100))}; add it to the origins of the key in the key file`,
  )
}

/** All values of a header. Node joins the values of some headers that came twice, and drops the second of others. */
function valuesIn(request: FastifyRequest): (header: string) => readonly string[] {
  const { headers, rawHeaders } = request.raw
  return (header) => {
    if (headers[header] === undefined) return []
    const values: string[] = []
    for (let at = 0; at < rawHeaders.length; at += 2) {
      const name = rawHeaders[at]!
      if (name.length === header.length && name.toLowerCase() === header) values.push(rawHeaders[at + 1]!)
    }
    return values
  }
}
