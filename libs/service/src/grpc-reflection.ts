import { create, createFileRegistry, fromBinary, toBinary } from '@bufbuild/protobuf'
import type { DescFile, DescMessage, FileRegistry, Message } from '@bufbuild/protobuf'
import { FileDescriptorProtoSchema, FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt'
import { status, type ServerDuplexStream } from '@grpc/grpc-js'
import type { GrpcService } from './grpc-service.ts'

const versions = ['v1', 'v1alpha'] as const

interface Question {
  readonly host: string
  readonly messageRequest: { readonly case?: string; readonly value?: unknown }
}

interface Answer {
  readonly case: string
  readonly value: Readonly<Record<string, unknown>>
}

/**
 * Reflection as services to add to a server: `grpc.reflection.v1`, and `v1alpha` for older tools.
 * `descriptors` is a `google.protobuf.FileDescriptorSet` from `buf build`. Reflection passes its files on unchanged. It
 * must contain `services` and reflection itself; reflection does not show other services.
 */
export function createReflection(
  descriptors: Uint8Array,
  services: readonly string[],
): readonly Omit<GrpcService, 'rules'>[] {
  const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, descriptors))
  const names = [...services, ...versions.map((version) => `grpc.reflection.${version}.ServerReflection`)]
  const answer = answering(registry, names)
  return versions.map((version) => {
    const question = messageOf(registry, `grpc.reflection.${version}.ServerReflectionRequest`)
    const reply = messageOf(registry, `grpc.reflection.${version}.ServerReflectionResponse`)
    return {
      definition: {
        serverReflectionInfo: {
          path: `/grpc.reflection.${version}.ServerReflection/ServerReflectionInfo`,
          requestStream: true,
          responseStream: true,
          requestDeserialize: (bytes: Buffer) => fromBinary(question, bytes),
          requestSerialize: (value: Message) => Buffer.from(toBinary(question, value)),
          responseSerialize: (value: Message) => Buffer.from(toBinary(reply, value)),
          responseDeserialize: (bytes: Buffer) => fromBinary(reply, bytes),
        },
      },
      implementation: {
        serverReflectionInfo: (call: ServerDuplexStream<Question, unknown>) => {
          call.on('data', (asked: Question) => {
            const fields = { validHost: asked.host, originalRequest: asked, messageResponse: answer(asked) }
            if (call.write(create(reply, fields as never))) return
            // Otherwise a client that sends requests without reading would fill the memory with answers.
            call.pause()
            call.once('drain', () => call.resume())
          })
          call.on('end', () => {
            call.end()
          })
        },
      },
    }
  })
}

/** Creates a function that answers requests about the files that declare `services`, and the files that they import. */
function answering(registry: FileRegistry, services: readonly string[]): (question: Question) => Answer {
  const files = new Map<string, DescFile>()
  for (const name of services) {
    const service = registry.getService(name)
    if (service === undefined) throw new Error(`the descriptors don't hold the service ${name}; run \`npm run proto\``)
    for (const file of withDependencies(service.file)) files.set(file.proto.name, file)
  }
  const symbols = new Map([...files.values()].flatMap((file) => symbolsOf(file).map((symbol) => [symbol, file])))

  const filesFrom = (file: DescFile | undefined, missing: string): Answer => {
    if (file === undefined) return notFound(missing)
    const all = [...withDependencies(file)]
    const fileDescriptorProto = all.map(({ proto }) => toBinary(FileDescriptorProtoSchema, proto))
    return { case: 'fileDescriptorResponse', value: { fileDescriptorProto } }
  }
  return ({ messageRequest: asked }) => {
    const text = String(asked.value)
    switch (asked.case) {
      case 'listServices':
        return { case: 'listServicesResponse', value: { service: services.map((name) => ({ name })) } }
      case 'fileByFilename':
        return filesFrom(files.get(text), `there is no file ${text}`)
      case 'fileContainingSymbol':
        return filesFrom(symbols.get(text), `there is no symbol ${text}`)
      case 'allExtensionNumbersOfType':
        // None of our messages has extensions.
        if (!symbols.has(text)) return notFound(`there is no message ${text}`)
        return { case: 'allExtensionNumbersResponse', value: { baseTypeName: text, extensionNumber: [] } }
      case 'fileContainingExtension':
        return notFound('there are no extensions')
      default:
        return errorAnswer(status.INVALID_ARGUMENT, 'the request has no known kind of question')
    }
  }
}

function notFound(message: string): Answer {
  return errorAnswer(status.NOT_FOUND, message)
}

function errorAnswer(errorCode: status, errorMessage: string): Answer {
  return { case: 'errorResponse', value: { errorCode, errorMessage } }
}

/** A file, then everything that it imports, each once. */
function withDependencies(file: DescFile, found = new Set<DescFile>()): Set<DescFile> {
  if (found.has(file)) return found
  found.add(file)
  for (const dependency of file.dependencies) withDependencies(dependency, found)
  return found
}

/** The full names of everything that a file declares: messages, fields, enums and their values, services, methods. */
function symbolsOf(file: DescFile): string[] {
  const ofMessage = (message: DescMessage): string[] => [
    message.typeName,
    ...message.fields.map(({ name }) => `${message.typeName}.${name}`),
    ...message.oneofs.map(({ name }) => `${message.typeName}.${name}`),
    ...message.nestedEnums.flatMap(ofEnum),
    ...message.nestedMessages.flatMap(ofMessage),
  ]
  return [
    ...file.messages.flatMap(ofMessage),
    ...file.enums.flatMap(ofEnum),
    ...file.services.flatMap(({ typeName, methods }) => [
      typeName,
      ...methods.map(({ name }) => `${typeName}.${name}`),
    ]),
  ]
}

/** Protobuf declares the values of an enum in the scope of the enum, not inside it. */
function ofEnum({ typeName, values }: DescFile['enums'][number]): string[] {
  const scope = typeName.slice(0, typeName.lastIndexOf('.') + 1)
  return [typeName, ...values.map(({ name }) => `${scope}${name}`)]
}

function messageOf(registry: FileRegistry, name: string): DescMessage {
  const message = registry.getMessage(name)
  if (message === undefined) throw new Error(`the descriptors don't hold the message ${name}; run \`npm run proto\``)
  return message
}
