/** Where the one-process edition listens. */
export interface Listening {
  readonly ingestPort: number
  readonly feedPort: number
  readonly grpcPort: number
  readonly operationsPort: number
  readonly folder: string
}

/** What `freshet dev` says when it is ready: where it listens, and three commands to try. */
export function welcome({ ingestPort, feedPort, grpcPort, operationsPort, folder }: Listening): string {
  const json = `-H 'content-type: application/json'`
  return `
Freshet is ready. Data: ${folder}

  events      http://localhost:${ingestPort}/v1/engagements, /v1/pins
  feeds       http://localhost:${feedPort}/v1/feed, /v1/related
  gRPC        localhost:${grpcPort}  freshet.blending.v1.Blender, freshet.ingest.v1.EventIngest (with reflection)
  operations  http://localhost:${operationsPort}/readyz, /livez, /metrics, /configz

Three commands to try:

1. A feed for somebody new:
   curl -s localhost:${feedPort}/v1/feed ${json} -d '{"userId":"you","pageSize":5}'

2. Say that you like baking; the answer holds a token:
   token=$(curl -s localhost:${ingestPort}/v1/engagements ${json} -d '{"eventId":"'$(date +%s%N)'","userId":"you","action":"save","pinId":"baking-1","boardId":"bread","occurredAt":"'$(date -u +%Y-%m-%dT%H:%M:%S.000Z)'"}' | grep -o '"token":"[^"]*"' | cut -d'"' -f4); echo $token

3. The feed after it, sure to reflect it by the token, and what each stage did:
   curl -s localhost:${feedPort}/v1/feed ${json} -d '{"userId":"you","pageSize":5,"after":["'$token'"],"explain":true}'

Stop with Ctrl-C. Start again: the data is still there.
`
}
