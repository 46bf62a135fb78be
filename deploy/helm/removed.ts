/**
 * Values of earlier charts, and what replaces them. `*` stands for every service. The chart refuses them with this text;
 * the schema alone would only say that it does not know them.
 */
export const removedValues: Readonly<Record<string, string>> = {
  'common.terminationGracePeriodSeconds': 'the chart computes the grace period; set common.preStopSeconds and common.stopSeconds',
  'services.ranker.config.MODEL_FOLDER': 'models come by the log (topic model-files.v1), to which the trainer publishes them; remove it, and the volume that ranker and trainer shared',
  'services.*.needs': 'the chart knows which services use Redis; remove it',
  'services.*.terminationGracePeriodSeconds': 'set services.NAME.config.STOP_TIMEOUT_MS, from which the chart computes the grace period',
}
