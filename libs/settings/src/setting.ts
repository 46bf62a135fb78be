import { z } from 'zod'

/** What a setting says about itself besides type, default and bounds; the builders below attach it to the zod type. */
export interface SettingMeta {
  readonly description: string
  /** `ms`, `bytes`, `events`, `share`, …; absent where the value has none. */
  readonly unit?: string
  /** Secret values are never shown. */
  readonly secret?: boolean
}

interface NumberMeta {
  readonly description: string
  readonly unit: string
  readonly min: number
  readonly max: number
}

/** A whole number of `unit` within bounds. */
export function wholeSetting(value: number, { min, max, description, unit }: NumberMeta) {
  return z.int().min(min).max(max).default(value).meta({ description, unit })
}

/** A number, whole or not, within bounds. */
export function numberSetting(value: number, { min, max, description, unit }: NumberMeta) {
  return z.number().min(min).max(max).default(value).meta({ description, unit })
}

/** A switch. The description says what happens when it is on. */
export function flagSetting(value: boolean, description: string) {
  return z.boolean().default(value).meta({ description })
}

/** A seed of random draws. */
export function seedSetting(description: string) {
  return z.int().min(0).max(0xffff_ffff).default(1).meta({ description })
}

/** A text that may be absent; null: absent. */
export function optionalTextSetting(description: string, secret = false) {
  return z.string().min(1).nullable().default(null).meta({ description, secret })
}
