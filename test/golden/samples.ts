import { execFileSync } from 'node:child_process'
import { join } from 'node:path'

const root = join(import.meta.dirname, '../..')

/** A message as protobuf's JSON mapping has it. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json }

interface Field {
  readonly name: string
  readonly jsonName: string
  readonly number: number
  readonly label: string
  readonly type: string
  readonly typeName?: string
  readonly oneofIndex?: number
  readonly proto3Optional?: boolean
}

interface Message {
  readonly name: string
  readonly field?: readonly Field[]
  readonly nestedType?: readonly (Message & { readonly options?: { readonly mapEntry?: boolean } })[]
}

interface ProtoFile {
  readonly name: string
  readonly package: string
  readonly messageType?: readonly Message[]
  readonly enumType?: readonly {
    readonly name: string
    readonly value: readonly { readonly name: string; readonly number: number }[]
  }[]
}

/** A message type and a value of it with every field set. */
export interface Sample {
  /** Full name, e.g. `freshet.engagement.v1.Engagement`. */
  readonly name: string
  /** Path of its generated module under libs/contracts/src/gen. */
  readonly module: string
  readonly value: Json
}

/** A value with every field set for each message of the protos, made from their descriptors: a new field changes its sample. */
export function samples(): Sample[] {
  const image = execFileSync(join(root, 'node_modules/.bin/buf'), ['build', 'proto', '-o', '-#format=json'], {
    cwd: root,
    encoding: 'utf8',
  })
  const files = (JSON.parse(image) as { file: ProtoFile[] }).file
  const messages = new Map<string, Message>()
  const enums = new Map<string, string>()
  for (const file of files) {
    for (const message of file.messageType ?? []) {
      messages.set(`.${file.package}.${message.name}`, message)
      for (const nested of message.nestedType ?? [])
        messages.set(`.${file.package}.${message.name}.${nested.name}`, nested)
    }
    for (const { name, value } of file.enumType ?? []) enums.set(`.${file.package}.${name}`, value[1]!.name)
  }

  const valueOf = (field: Field): Json => {
    switch (field.type) {
      case 'TYPE_STRING':
        return `${field.name.replaceAll('_', '-')}-ü-${field.number}`
      case 'TYPE_BYTES':
        return Buffer.from([field.number, 0, 255, 128, 63, 0, 0, 1]).toString('base64')
      case 'TYPE_BOOL':
        return true
      case 'TYPE_INT64':
        return 1_767_225_600_000 + field.number
      case 'TYPE_FLOAT':
        return field.number + 0.5
      case 'TYPE_ENUM':
        return enums.get(field.typeName!)!
      case 'TYPE_MESSAGE':
        return sampleOf(messages.get(field.typeName!)!)
      default:
        return 100 + field.number
    }
  }
  const sampleOf = (message: Message): Json => {
    const sample: { [key: string]: Json } = {}
    const oneofs = new Set<number>()
    for (const field of message.field ?? []) {
      if (field.oneofIndex !== undefined && field.proto3Optional !== true) {
        if (oneofs.has(field.oneofIndex)) continue
        oneofs.add(field.oneofIndex)
      }
      const nested =
        field.type === 'TYPE_MESSAGE'
          ? message.nestedType?.find(({ name }) => field.typeName!.endsWith(`.${name}`))
          : undefined
      if (nested?.options?.mapEntry === true) sample[field.jsonName] = { 'reason-a': 3, 'reason-b': 4 }
      else sample[field.jsonName] = field.label === 'LABEL_REPEATED' ? [valueOf(field), valueOf(field)] : valueOf(field)
    }
    return sample
  }

  return files.flatMap((file) =>
    (file.messageType ?? []).map((message) => ({
      name: `${file.package}.${message.name}`,
      module: file.name.replace(/\.proto$/, ''),
      value: sampleOf(message),
    })),
  )
}
