const core = require('@tensorflow/tfjs-core')
const layers = require('@tensorflow/tfjs-layers')

// The umbrella lets one write `a.sum()` for `sum(a)`. Operations are the exports that tfjs-core names so.
for (const [name, operation] of Object.entries(core)) {
  if (typeof operation !== 'function' || !operation.name.endsWith('__op')) continue
  core.Tensor.prototype[name] ??= function (...rest) {
    return operation(this, ...rest)
  }
}

module.exports = {
  ...core,
  ...layers,
  version: { 'tfjs-core': core.version_core, 'tfjs-layers': layers.version_layers },
}
