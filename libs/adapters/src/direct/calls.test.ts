import { candidateServiceSuite } from '../suites/candidate-service.suite.ts'
import { rankerSuite } from '../suites/ranker.suite.ts'
import { createDirectCandidateService } from './candidate-service.ts'
import { createDirectRanker } from './ranker.ts'

candidateServiceSuite({
  name: 'candidate service, direct call',
  mortal: false,
  start: async (answer) => ({
    call: createDirectCandidateService({ retrieve: answer }).retrieve,
    close: async () => {},
  }),
})

rankerSuite({
  name: 'ranker, direct call',
  mortal: false,
  start: async (answer) => ({
    call: createDirectRanker({ rank: answer }).rank,
    close: async () => {},
  }),
})
