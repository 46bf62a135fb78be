import { execFile } from 'node:child_process'
import { join } from 'node:path'

const buf = join(import.meta.dirname, '../../node_modules/.bin/buf')

/** A gRPC server as a tool sees it that knows its messages from reflection alone: `buf curl`. */
export interface ReflectedServer {
  /** Full names, sorted. */
  services(): Promise<readonly string[]>
  /** Methods as `package.Service/Method`, sorted; the tool must have understood all descriptors for that. */
  methods(): Promise<readonly string[]>
  /** Calls a method with JSON. Rejects with what the tool says. */
  call(method: string, request?: unknown): Promise<unknown>
}

/** The server on a port of this machine. `protocol` is the version of reflection that is asked. */
export function reflected(port: number, protocol: 'grpc-v1' | 'grpc-v1alpha' = 'grpc-v1'): ReflectedServer {
  const curl = async (path: string, ...more: string[]): Promise<string> => {
    const common = ['--http2-prior-knowledge', '--protocol', 'grpc', '--reflect-protocol', protocol]
    return run(['curl', ...common, ...more, `http://127.0.0.1:${port}${path}`])
  }
  const lines = (text: string): string[] =>
    text
      .split('\n')
      .filter((line) => line !== '')
      .toSorted()
  return {
    services: async () => lines(await curl('', '--list-services')),
    methods: async () => lines(await curl('', '--list-methods')),
    async call(method, request = {}) {
      return JSON.parse((await curl(`/${method}`, '--data', JSON.stringify(request))) || 'null') as unknown
    },
  }
}

function run(args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(buf, args, { timeout: 60_000 }, (error, stdout, stderr) => {
      if (error === null) resolve(stdout)
      else reject(new Error(`buf ${args.join(' ')}: ${stderr}`))
    })
  })
}
