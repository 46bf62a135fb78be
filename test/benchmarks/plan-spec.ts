/** Numbers of a vector of the benchmark's spec. */
export const vectorSize = 16

/** The inputs of one number on the candidate's side. */
export const scalarInputs = [
  'pin.saves',
  'pin.clicks',
  'pin.hides',
  'pin.impressions',
  'pin.age_hours',
  'candidate.affinity',
  'candidate.rank',
  'candidate.other_rank',
  'candidate.score',
] as const

/** A spec with 30 features, named f1 to f30. Most are of one number; f16 to f18, f22 and f23 are not. */
export const planSpec = `spec benchmark
input request.time: scalar
input user.taste: vector[${vectorSize}]
input user.locale, user.creator: category
input ${scalarInputs.join(', ')}: scalar
input pin.created_at, pin.saves_at: scalar
input pin.embedding: vector[${vectorSize}]
input pin.creator, pin.locale: category
input pin.topics: sequence[8] of category
feature f1 = log1p(pin.saves)
feature f2 = log1p(pin.clicks)
feature f3 = log1p(pin.impressions)
feature f4 = smoothed_rate(pin.saves, pin.impressions, prior: 0.02, strength: 20)
feature f5 = smoothed_rate(pin.clicks, pin.impressions, prior: 0.05, strength: 20)
feature f6 = smoothed_rate(pin.hides, pin.impressions, prior: 0.01, strength: 50)
feature f7 = age(pin.created_at, request.time)
feature f8 = exp(-f7 / 24)
feature f9 = decayed(pin.saves, pin.saves_at, request.time, half_life: 24)
feature f10 = decayed(pin.clicks, pin.saves_at, request.time, half_life: 720)
feature f11 = clip(signed_log1p(candidate.affinity), low: -3, high: 3)
feature f12 = if pin.age_hours < 24 then 1 else 0
feature f13 = sqrt(pin.impressions)
feature f14 = dot(user.taste, pin.embedding)
feature f15 = cosine(user.taste, pin.embedding)
feature f16 = bucketise(pin.age_hours, boundaries: [1, 6, 24, 72, 168, 720])
feature f17 = hash(pin.creator, rows: 65536)
feature f18 = hash(cross(user.locale, pin.creator), rows: 65536)
feature f19 = pin.creator == user.creator
feature f20 = norm(pin.embedding)
feature f21 = 1 / (1 + candidate.rank)
feature f22 = one_hot(pin.locale, values: ["en", "de", "fr"])
feature f23 = hash_topics(pin.topics, rows: 4096, topics: 2)
feature f24 = length(pin.topics)
feature f25 = standardise(f1)
feature f26 = sigmoid(candidate.affinity - 2)
feature f27 = log(candidate.score, floor: 0.001)
feature f28 = max(candidate.rank, candidate.other_rank)
feature f29 = f4 * f11
feature f30 = default(candidate.score, 0) + 0.5 * f14
layer all = concat(f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f19, f20, f21, f22, f24, f25, f26, f27, f28, f29, f30)
head save: probability = dot(all, all)
expose f16_used, f17_used, f18_used, f23_used
feature f16_used = exists(f16)
feature f17_used = exists(f17)
feature f18_used = exists(f18)
feature f23_used = exists(f23)
utility = save
`
