/** Addresses of `freshet dev`. */
export interface Listening {
  /** Port of the web page; null: the process serves none. */
  readonly consolePort: number | null
  /** The servers speak TLS. */
  readonly isTls: boolean
  readonly ingestPort: number
  readonly feedPort: number
  readonly grpcPort: number
  readonly operationsPort: number
  readonly folder: string
  /** The folder holds the sample with pictures. */
  readonly hasPictures: boolean
  /** Port of admin calls; null: the process has no keys, so it is open and serves them on the port of events. */
  readonly adminPort: number | null
  /** The process has no keys, and may listen on addresses that other machines reach (`access.open`). */
  readonly reachable: boolean
}

const whoMay = (reachable: boolean): string =>
  reachable
    ? 'everybody who reaches its ports may make every call'
    : 'every process of this machine may make every call, and none from elsewhere'

const open = (reachable: boolean): string => `
It is open: ${whoMay(reachable)}. To close it:
   npx freshet keys create admin --file keys.json && npm start -- --access.keysFile keys.json`

const ownData = (folder: string): string => `
This folder holds other data than the sample with pictures. To see the sample, delete the folder or choose another:
   npm start -- --data.folder ${folder}-sample
`

/** The text that `freshet dev` prints when it is ready: its addresses and three commands to try. */
export function welcome(listening: Listening): string {
  const { consolePort, isTls, ingestPort, feedPort, grpcPort, operationsPort, folder, adminPort, reachable } = listening
  const { hasPictures } = listening
  const pin = hasPictures ? 'noto-cat-face' : 'PIN'
  const key = adminPort === null ? '' : ` -H "freshet-key: $FRESHET_KEY"`
  const json = `-H 'content-type: application/json'${key}`
  const page =
    consolePort === null
      ? ''
      : `\n  Open        ${isTls ? 'https' : 'http'}://localhost:${consolePort}      feeds, and why they look like this\n`
  return `
Freshet is ready. Data: ${folder}
${hasPictures ? '' : ownData(folder)}${page}
  events      http://localhost:${ingestPort}/v1/engagements${adminPort === null ? ', /v1/pins' : ''}
  feeds       http://localhost:${feedPort}/v1/feed, /v1/related
  gRPC        localhost:${grpcPort}  freshet.blending.v1.Blender, freshet.ingest.v1.EventIngest (with reflection)
  operations  http://localhost:${operationsPort}/readyz, /livez, /metrics, /configz
${adminPort === null ? open(reachable) : `  admin       http://localhost:${adminPort}/v1/pins, /v1/users/{id}`}

Three commands to try${adminPort === null ? '' : ', with an admin key in the variable FRESHET_KEY'}:

1. Get a feed for a new user:
   curl -s localhost:${feedPort}/v1/feed ${json} -d '{"userId":"you","pageSize":5}'

2. Save ${hasPictures ? 'a picture of a cat' : 'a pin of that feed (write its id instead of PIN)'}; the answer contains a token:
   token=$(curl -s localhost:${ingestPort}/v1/engagements ${json} -d '{"eventId":"'$(date +%s%N)'","userId":"you","action":"save","pinId":"${pin}","boardId":"cats","occurredAt":"'$(date -u +%Y-%m-%dT%H:%M:%S.000Z)'"}' | grep -o '"token":"[^"]*"' | cut -d'"' -f4); echo $token

3. Get the next feed. The token makes sure that it reflects the save; "explain" shows what each stage did:
   curl -s localhost:${feedPort}/v1/feed ${json} -d '{"userId":"you","pageSize":5,"after":["'$token'"],"explain":true}'

Stop with Ctrl-C. Start again: the data is still there.
`
}
