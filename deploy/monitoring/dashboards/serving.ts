import { gauge, perSecond, quantiles, type Dashboard } from './panel.ts'

/** Feeds: how many, how fast, and where the time goes. */
export const serving: Dashboard = {
  uid: 'freshet-serving',
  title: 'Freshet: serving by stage',
  description: 'Requests for feeds, and what each stage of the pipelines does with its time and its candidates',
  rows: [
    {
      title: 'Feeds',
      panels: [
        {
          title: 'Requests by outcome',
          description: 'Requests that the blender began to answer, over all protocols, by kind and outcome.',
          unit: 'reqps',
          queries: [[perSecond('freshet_feed_requests_total', 'kind, outcome'), '{{kind}} {{outcome}}']],
        },
        {
          title: 'Time of an answer',
          description: 'By surface. The objective is 250 ms.',
          unit: 's',
          queries: quantiles('freshet_feed_answer_seconds', 'surface', '{{surface}}', [0.5, 0.95, 0.99]),
        },
        {
          title: 'Under way',
          description: 'Requests that the blender is answering, and those that wait for their turn.',
          unit: 'none',
          queries: [
            [gauge('freshet_feed_in_flight', 'instance'), '{{instance}} under way'],
            [gauge('freshet_feed_waiting', 'instance'), '{{instance}} waiting'],
          ],
        },
      ],
    },
    {
      title: 'Stages',
      panels: [
        {
          title: 'Time of stages',
          description: '99th percentile of the stages that call another process.',
          unit: 's',
          queries: quantiles('freshet_feed_stage_seconds', 'pipeline, stage', '{{pipeline}} {{stage}}', [0.99]),
        },
        {
          title: 'Stages that did not run',
          description: 'Runs that were left out or failed, by stage and code.',
          unit: 'ops',
          queries: [
            [
              perSecond('freshet_feed_stages_total', 'pipeline, stage, outcome, code', 'outcome!="ran"'),
              '{{pipeline}} {{stage}} {{outcome}} {{code}}',
            ],
          ],
          empty: 'while every stage runs',
        },
        {
          title: 'Candidates by stage',
          description: 'Candidates that a stage kept, or removed for a reason.',
          unit: 'ops',
          queries: [[perSecond('freshet_feed_candidates_total', 'stage, reason'), '{{stage}} {{reason}}']],
        },
      ],
    },
    {
      title: 'Calls between services',
      panels: [
        {
          title: 'Calls by status',
          description: 'Answered calls, each call on a stream included. A process that holds all services makes none.',
          unit: 'reqps',
          queries: [[perSecond('freshet_calls_total', 'call, status'), '{{call}} {{status}}']],
          empty: 'in a process that holds all services',
        },
        {
          title: 'Time of calls',
          description: 'Time from a call to its answer, measured where it is answered.',
          unit: 's',
          queries: quantiles('freshet_call_seconds', 'call', '{{call}}'),
          empty: 'in a process that holds all services',
        },
        {
          title: 'gRPC calls',
          description: 'Answered gRPC calls by method and status; a stream counts once, when it ends.',
          unit: 'reqps',
          queries: [[perSecond('freshet_grpc_calls_total', 'method, status'), '{{method}} {{status}}']],
          empty: 'while nobody calls by gRPC',
        },
      ],
    },
    {
      title: 'The record of feeds and memory',
      panels: [
        {
          title: 'Feeds that were not recorded',
          description: 'Feeds that were answered and not written to `feeds-served.v1`, by reason.',
          unit: 'ops',
          queries: [[perSecond('freshet_feeds_lost_total', 'why'), '{{why}}']],
          empty: 'while every feed is recorded',
        },
        {
          title: 'Feeds that wait to be recorded',
          description: 'By process.',
          unit: 'none',
          queries: [[gauge('freshet_feed_unwritten', 'instance'), '{{instance}}']],
        },
        {
          title: 'Delay of the event loop',
          description: '99th percentile of the time that work waits for the thread of a process.',
          unit: 's',
          queries: [[gauge('nodejs_eventloop_lag_p99_seconds', 'instance', '', 'max'), '{{instance}}']],
        },
      ],
    },
  ],
}
